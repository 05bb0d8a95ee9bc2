import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import { DayGate, type GateChange, type GatedTarget } from '#streamer/day/gate.ts';
import { symbolHash } from '#streamer/day/symbol-hash.ts';
import { TokenIndex } from '#streamer/day/token-index.ts';
import { type DayView, heldReason } from '#streamer/day/trading-day.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

const DAY = '2026-08-18';
const OPEN: DayView = { session: 'a', liveFrom: DAY, day: DAY, index: undefined, holds: false };

class RecordingTarget implements GatedTarget {
  readonly rows = new Map<number, AccountSubscription>();
  readonly changes: [set: number[], removed: number[]][] = [];
  sessions = 0;

  current(): ReadonlyMap<number, AccountSubscription> {
    return this.rows;
  }

  apply(set: readonly AccountSubscription[], removed: readonly number[]): void {
    this.changes.push([set.map((row) => row.instrument_token), [...removed]]);
    for (const token of removed) this.rows.delete(token);
    for (const row of set) this.rows.set(row.instrument_token, row);
  }

  beginSession(): void {
    this.sessions += 1;
  }
}

function option(instrument_token: number, expiry: string, tradingsymbol = `S${instrument_token}`) {
  return anInstrument({ instrument_token, expiry, tradingsymbol });
}

function rowOf(instrument: Instrument, version = 1): AccountSubscription {
  return { instrument_token: instrument.instrument_token, mode: 'full', version, instrument };
}

function indexOf(rows: readonly Instrument[]): TokenIndex {
  const index = new TokenIndex(rows.length);
  for (const row of rows) index.add(row.instrument_token, symbolHash(row));
  return index;
}

function setUp() {
  const target = new RecordingTarget();
  const day = { now: OPEN, view: () => day.now };
  const changes: GateChange[] = [];
  const gate = new DayGate(target, day, (change) => changes.push(change));
  return { target, day, gate, changes };
}

const A = option(513, DAY);
const B = option(769, '2026-08-25');

/** What the day lets stream of all that is wanted, taken at once. */
function allowedOf(wanted: readonly AccountSubscription[], view: DayView): AccountSubscription[] {
  const said = (row: AccountSubscription) => heldReason(row.instrument, view);
  const gone = wanted.filter((row) => said(row) === 'gone').length;
  const expired = wanted.filter((row) => said(row) === 'expired').length;
  const isDoubted = gone * 4 > wanted.length - gone - expired;
  return wanted.filter((row) => {
    const reason = said(row);
    return reason === undefined || (reason === 'gone' && isDoubted && !view.holds);
  });
}

describe('the gate', () => {
  it('lets through what the day allows, and never what has expired', () => {
    const { target, gate } = setUp();
    gate.apply([rowOf(A), rowOf(B), rowOf(option(1_025, '2026-08-11'))], []);
    expect(target.changes).toEqual([[[513, 769], []]]);
    expect([...gate.current().keys()]).toEqual([513, 769, 1_025]);
    expect(gate.held).toEqual({ expired: 1, recycled: 0, gone: 0, waiting: 0, doubted: 0 });
    expect(gate.stoppedTotal.expired).toBe(0);
  });

  it('ends a contract by itself when its day ends, once, and touches nothing else', () => {
    const { target, day, gate, changes } = setUp();
    gate.apply([rowOf(A), rowOf(B)], []);
    day.now = { ...OPEN, liveFrom: '2026-08-19' };
    gate.follow();
    gate.follow();
    expect(target.changes.slice(1)).toEqual([[[], [513]]]);
    expect(changes).toEqual([
      {
        stopped: { expired: 1, recycled: 0, gone: 0, waiting: 0 },
        resumed: 0,
        doubted: 0,
        examples: ['S513'],
      },
    ]);
    expect(gate.stoppedTotal.expired).toBe(1);
  });

  it('does not bring an expired contract back with the next comparison', () => {
    const { target, day, gate } = setUp();
    gate.apply([rowOf(A)], []);
    day.now = { ...OPEN, liveFrom: '2026-08-19' };
    gate.apply([rowOf(A, 2)], []);
    expect([...target.rows.keys()]).toEqual([]);
    expect(target.changes).toHaveLength(2);
  });

  it('stops an old name under a recycled token and streams the new one when a row has it', () => {
    const { target, day, gate } = setUp();
    const next = option(513, '2026-09-22', 'NEXT');
    gate.apply([rowOf(A), rowOf(B)], []);
    day.now = { ...OPEN, index: indexOf([next, B]) };
    gate.follow();
    expect(gate.held.recycled).toBe(1);
    expect([...target.rows.keys()]).toEqual([769]);
    gate.apply([rowOf(next, 2)], []);
    expect(gate.held.recycled).toBe(0);
    expect(target.rows.get(513)?.instrument.tradingsymbol).toBe('NEXT');
  });

  it('stops what the dump lacks beside the rest of what is wanted', () => {
    const { target, day, gate, changes } = setUp();
    const rows = Array.from({ length: 5 }, (_, n) => option(n + 1, '2026-08-25'));
    gate.apply(
      rows.map((row) => rowOf(row)),
      [],
    );
    day.now = { ...OPEN, index: indexOf(rows.slice(1)) };
    gate.follow();
    expect([...target.rows.keys()]).toEqual([2, 3, 4, 5]);
    expect(gate.held).toMatchObject({ gone: 1, doubted: 0 });
    expect(changes).toMatchObject([{ stopped: { gone: 1 }, doubted: 0 }]);
  });

  it.each([1, 20, 500])('stops none of %i for a dump that came without its rows, and says so', (count) => {
    const { target, day, gate, changes } = setUp();
    const rows = Array.from({ length: count }, (_, n) => option(n + 1, '2026-08-25'));
    gate.apply(
      rows.map((row) => rowOf(row)),
      [],
    );
    day.now = { ...OPEN, index: indexOf([]) };
    gate.follow();
    expect(target.rows.size).toBe(count);
    expect(target.changes).toHaveLength(1);
    expect(gate.held).toMatchObject({ gone: 0, doubted: count });
    expect(changes).toMatchObject([{ resumed: 0, doubted: count }]);
    day.now = { ...OPEN, index: indexOf(rows) };
    gate.follow();
    expect(gate.held).toMatchObject({ gone: 0, doubted: 0 });
  });

  it('stops what the dump lacks once enough else is wanted, and lets it stream when that goes', () => {
    const { target, day, gate } = setUp();
    const [lone, ...others] = Array.from({ length: 5 }, (_, n) => option(n + 1, '2026-08-25'));
    day.now = { ...OPEN, index: indexOf(others) };
    gate.apply([rowOf(lone!)], []);
    expect([...target.rows.keys()]).toEqual([1]);
    gate.apply(
      others.map((row) => rowOf(row)),
      [],
    );
    expect([...target.rows.keys()]).toEqual([2, 3, 4, 5]);
    gate.apply([], [5]);
    expect([...target.rows.keys()].sort()).toEqual([1, 2, 3, 4]);
  });

  it('lets nothing stream on that waits for the dump of the day', () => {
    const { target, day, gate } = setUp();
    gate.apply([rowOf(B)], []);
    day.now = { ...OPEN, index: indexOf([]), holds: true };
    gate.follow();
    expect(target.rows.size).toBe(0);
    expect(gate.held).toMatchObject({ waiting: 1, doubted: 1 });
  });

  it('resumes by itself what had waited', () => {
    const { target, day, gate, changes } = setUp();
    gate.apply([rowOf(B)], []);
    day.now = { ...OPEN, holds: true };
    gate.follow();
    expect(gate.held.waiting).toBe(1);
    day.now = OPEN;
    gate.follow();
    expect(target.rows.has(769)).toBe(true);
    expect(changes.map(({ resumed }) => resumed)).toEqual([0, 1]);
  });

  it('forgets what is removed, streaming or held', () => {
    const { target, day, gate } = setUp();
    gate.apply([rowOf(A), rowOf(B)], []);
    day.now = { ...OPEN, liveFrom: '2026-08-19' };
    gate.apply([], [513, 769]);
    expect(gate.current().size).toBe(0);
    expect(gate.held.expired).toBe(0);
    expect(target.rows.size).toBe(0);
  });

  it('tells of a new session before anything else, and of no other change', () => {
    const { target, day, gate } = setUp();
    day.now = { ...OPEN, liveFrom: '2026-08-19' };
    gate.follow();
    expect(target.sessions).toBe(0);
    day.now = { ...day.now, session: 'b' };
    gate.follow();
    expect(target.sessions).toBe(1);
  });

  it('always streams exactly what is wanted and allowed, whatever comes in whatever order', () => {
    const anyToken = fc.integer({ min: 1, max: 12 });
    const anyRow = fc
      .tuple(anyToken, fc.integer({ min: 0, max: 3 }), fc.boolean())
      .map(([token, days, other]) => rowOf(option(token, addDays(DAY, days), `${token}${other ? 'X' : ''}`)));
    const index = indexOf(
      Array.from({ length: 9 }, (_, n) => option(n + 1, DAY, n % 3 === 2 ? `${n + 1}X` : `${n + 1}`)),
    );
    const anyView = fc.record({
      session: fc.constantFrom('a', 'b'),
      liveFrom: fc.integer({ min: 0, max: 3 }).map((days) => addDays(DAY, days)),
      day: fc.constant(DAY),
      index: fc.constantFrom(undefined, index),
      holds: fc.boolean(),
    });
    const anyStep = fc.oneof(
      anyView.map((view) => ({ view })),
      fc
        .tuple(fc.uniqueArray(anyRow, { selector: (row) => row.instrument_token }), fc.array(anyToken))
        .map(([set, removed]) => ({ set, removed })),
    );
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const { target, day, gate } = setUp();
        const wanted = new Map<number, AccountSubscription>();
        for (const step of steps) {
          if ('view' in step) {
            day.now = step.view;
            gate.follow();
          } else {
            for (const token of step.removed) wanted.delete(token);
            for (const row of step.set) wanted.set(row.instrument_token, row);
            gate.apply(step.set, step.removed);
          }
          const allowed = allowedOf([...wanted.values()], day.now);
          expect(new Map(target.rows)).toEqual(new Map(allowed.map((row) => [row.instrument_token, row])));
          expect(new Map(gate.current())).toEqual(wanted);
        }
      }),
      { seed: 13 },
    );
  });
});
