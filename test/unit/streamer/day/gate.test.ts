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

function setUp() {
  const target = new RecordingTarget();
  const day = { now: OPEN, view: () => day.now };
  const changes: GateChange[] = [];
  const gate = new DayGate(target, day, (change) => changes.push(change));
  return { target, day, gate, changes };
}

const A = option(513, DAY);
const B = option(769, '2026-08-25');

describe('the gate', () => {
  it('lets through what the day allows, and never what has expired', () => {
    const { target, gate } = setUp();
    gate.apply([rowOf(A), rowOf(B), rowOf(option(1_025, '2026-08-11'))], []);
    expect(target.changes).toEqual([[[513, 769], []]]);
    expect([...gate.current().keys()]).toEqual([513, 769, 1_025]);
    expect(gate.held).toEqual({ expired: 1, recycled: 0, gone: 0, waiting: 0 });
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
      { stopped: { expired: 1, recycled: 0, gone: 0, waiting: 0 }, resumed: 0, examples: ['S513'] },
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
    const index = new TokenIndex(2);
    for (const each of [next, B]) index.add(each.instrument_token, symbolHash(each));
    day.now = { ...OPEN, index };
    gate.follow();
    expect(gate.held.recycled).toBe(1);
    expect([...target.rows.keys()]).toEqual([769]);
    gate.apply([rowOf(next, 2)], []);
    expect(gate.held.recycled).toBe(0);
    expect(target.rows.get(513)?.instrument.tradingsymbol).toBe('NEXT');
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
    const index = new TokenIndex(9);
    for (let token = 1; token <= 9; token += 1) {
      index.add(token, symbolHash(option(token, DAY, token % 3 === 0 ? `${token}X` : `${token}`)));
    }
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
          const allowed = [...wanted.values()].filter(
            (row) => heldReason(row.instrument, day.now) === undefined,
          );
          expect(new Map(target.rows)).toEqual(new Map(allowed.map((row) => [row.instrument_token, row])));
          expect(new Map(gate.current())).toEqual(wanted);
        }
      }),
      { seed: 13 },
    );
  });
});
