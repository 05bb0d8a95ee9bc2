import { describe, expect, it } from 'vitest';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
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
