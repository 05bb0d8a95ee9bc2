import { describe, expect, it } from 'vitest';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import { noDrift } from '#streamer/control/drift.ts';
import { Reconciler, type ReconcileTarget } from '#streamer/control/reconciler.ts';
import { instrumentRow } from '#test/support/frames.ts';
import { MemorySubscriptions } from '#test/support/memory-sources.ts';

const A = instrumentRow({ instrument_token: 257, tradingsymbol: 'A' });
const B = instrumentRow({ instrument_token: 513, tradingsymbol: 'B' });

class RecordingTarget implements ReconcileTarget {
  readonly rows = new Map<number, AccountSubscription>();
  readonly changes: [set: number[], removed: number[]][] = [];

  current(): ReadonlyMap<number, AccountSubscription> {
    return this.rows;
  }

  apply(set: readonly AccountSubscription[], removed: readonly number[]): void {
    this.changes.push([set.map((row) => row.instrument_token), [...removed]]);
    for (const row of set) this.rows.set(row.instrument_token, row);
    for (const token of removed) this.rows.delete(token);
  }
}

function setUp() {
  const source = new MemorySubscriptions();
  const target = new RecordingTarget();
  return { source, target, reconciler: new Reconciler('primary', source, target) };
}

describe('a reconciler', () => {
  it('follows a nudge for the named instruments alone', async () => {
    const { source, target, reconciler } = setUp();
    source.set([A, B], 'full');
    await reconciler.nudge([A.instrument_token]);
    expect(target.changes).toEqual([[[257], []]]);
    source.remove([A.instrument_token]);
    await reconciler.nudge([A.instrument_token]);
    expect(target.changes[1]).toEqual([[], [257]]);
  });

  it('finds by the dirty mark what no nudge told', async () => {
    const { source, target, reconciler } = setUp();
    source.set([A, B], 'full');
    await reconciler.checkMark();
    source.remove([B.instrument_token]);
    await reconciler.checkMark();
    expect(target.changes).toEqual([
      [[257, 513], []],
      [[], [513]],
    ]);
  });

  it('takes over the version of what was removed and came back between two looks', async () => {
    const { source, target, reconciler } = setUp();
    source.set([A, B], 'full');
    await reconciler.checkMark();
    const before = target.rows.get(A.instrument_token)!.version;
    source.remove([A.instrument_token]);
    source.set([A], 'full');
    await reconciler.checkMark();
    expect(target.rows.get(A.instrument_token)!.version).toBeGreaterThan(before);
    expect(target.changes[1]).toEqual([[257], []]);
  });

  it('touches nothing that is as it should be', async () => {
    const { source, target, reconciler } = setUp();
    source.set([A, B], 'full');
    await reconciler.compareAll();
    await reconciler.compareAll();
    source.set([A], 'quote');
    await reconciler.checkMark();
    expect(target.changes.slice(1)).toEqual([[[257], []]]);
  });

  it('takes a recycled token for the other instrument that it is', async () => {
    const { source, target, reconciler } = setUp();
    source.set([A], 'full');
    await reconciler.compareAll();
    source.set([{ ...A, tradingsymbol: 'OTHER' }], 'full');
    await reconciler.checkMark();
    expect(target.rows.get(257)?.instrument.tradingsymbol).toBe('OTHER');
  });

  it('never applies an older answer over a newer one', async () => {
    const { source, target } = setUp();
    source.set([A], 'full');
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const delayed = Object.assign(Object.create(source) as MemorySubscriptions, {
      dirtyMark: () => source.dirtyMark(),
      getForAccount: (accountId: string, tokens: number[]) => source.getForAccount(accountId, tokens),
      listForAccount: async () => {
        const rows = await source.listForAccount();
        await slow;
        return rows;
      },
    });
    const reconciler = new Reconciler('primary', delayed, target);
    const full = reconciler.compareAll();
    await new Promise((resolve) => setImmediate(resolve));
    source.remove([A.instrument_token]);
    const nudge = reconciler.nudge([A.instrument_token]);
    release();
    await Promise.all([full, nudge]);
    expect([...target.rows.keys()]).toEqual([]);
  });

  it('goes on after a read that failed', async () => {
    const { source, target } = setUp();
    let failures = 1;
    source.set([A], 'full');
    const failing = {
      dirtyMark: () => source.dirtyMark(),
      getForAccount: async () => [],
      listForAccount: async () => {
        failures -= 1;
        if (failures >= 0) throw new Error('the table is away');
        return source.listForAccount();
      },
    };
    const reconciler = new Reconciler('primary', failing, target);
    await expect(reconciler.checkMark()).rejects.toThrow('the table is away');
    await reconciler.checkMark();
    expect([...target.rows.keys()]).toEqual([257]);
  });
});

/** Rows that change without their mark: what no change of the control plane does. */
class DriftingSubscriptions extends MemorySubscriptions {
  #mark = 1;

  override async dirtyMark(): Promise<number> {
    return this.#mark;
  }

  raise(): void {
    this.#mark += 1;
  }
}

describe('drift', () => {
  function drifting() {
    const source = new DriftingSubscriptions();
    const target = new RecordingTarget();
    const connections = [noDrift()];
    const reconciler = new Reconciler('primary', source, target, () => connections.shift() ?? noDrift());
    return { source, target, connections, reconciler };
  }

  it('of each kind is repaired by the full comparison and counted once it proves to be none of a change', async () => {
    const { source, target, reconciler } = drifting();
    source.set([A, B], 'full');
    await reconciler.compareAll();
    expect(reconciler.drift).toEqual(noDrift());
    const C = instrumentRow({ instrument_token: 769, tradingsymbol: 'C' });
    source.set([C], 'full');
    source.set([B], 'ltp');
    source.remove([A.instrument_token]);
    await reconciler.checkMark();
    expect([...target.rows.keys()]).toEqual([257, 513]);
    await reconciler.compareAll();
    expect([...target.rows].map(([token, { mode }]) => [token, mode])).toEqual([
      [513, 'ltp'],
      [769, 'full'],
    ]);
    await reconciler.checkMark();
    await reconciler.compareAll();
    expect(reconciler.drift).toEqual({ not_streaming: 1, not_wanted: 1, wrong_mode: 1 });
  });

  it('is not what changed while the comparison ran, nor what a nudge brought before the mark was looked at', async () => {
    const { source, reconciler } = drifting();
    source.set([A], 'full');
    await reconciler.compareAll();
    source.set([B], 'full');
    await reconciler.compareAll();
    source.raise();
    await reconciler.checkMark();
    source.remove([B.instrument_token]);
    source.raise();
    await reconciler.nudge([B.instrument_token]);
    await reconciler.compareAll();
    await reconciler.checkMark();
    expect(reconciler.drift).toEqual(noDrift());
  });

  it('of the connections is counted with the full comparison', async () => {
    const { connections, reconciler } = drifting();
    connections.push({ not_streaming: 4, not_wanted: 0, wrong_mode: 1 });
    await reconciler.compareAll();
    await reconciler.compareAll();
    expect(reconciler.drift).toEqual({ not_streaming: 4, not_wanted: 0, wrong_mode: 1 });
  });
});
