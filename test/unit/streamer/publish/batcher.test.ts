import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { frameOf, instrumentRow, ltpPacket } from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';

const NOW_MS = istMs('2026-08-18', '11:00');
const EQUITIES = Array.from({ length: 12 }, (_, index) =>
  instrumentRow({ instrument_token: ((index + 1) << 8) | 1, tradingsymbol: `E${index}` }),
);

const lanes: Lane[] = [];
function lane(env?: Readonly<Record<string, string>>): Lane {
  const made = newLane(NOW_MS, env);
  lanes.push(made);
  made.claim(EQUITIES, 'ltp');
  return made;
}
afterEach(() => {
  for (const each of lanes.splice(0)) each.account.close();
});

function tick(each: Lane, instrument: number, price: number): void {
  each.account.pipeline.frame(frameOf([ltpPacket(EQUITIES[instrument]!.instrument_token, price)]));
}

describe('a batch', () => {
  it('leaves at the end of the frame when the sink is idle', () => {
    const each = lane();
    tick(each, 0, 100);
    const [envelope] = each.take();
    expect(envelope).toMatchObject({ v: 1, account_id: 'primary', lease: 1, seq: 1, ts: NOW_MS, folded: 0 });
    expect(envelope!.ticks).toHaveLength(1);
  });

  it('waits while the sink is busy, and leaves when it is full', () => {
    const each = lane({ BATCH_MAX_TICKS: '3' });
    each.sink.isIdle = false;
    tick(each, 0, 100);
    tick(each, 0, 200);
    expect(each.take()).toEqual([]);
    tick(each, 1, 300);
    expect(each.take().map((envelope) => envelope.ticks.map(({ ltp }) => ltp))).toEqual([[1, 2, 3]]);
  });

  it('is followed by an empty one after an idle second', () => {
    const each = lane();
    tick(each, 0, 100);
    each.take();
    each.clock.advance(999);
    each.account.pipeline.flushIdle();
    // The other three channels were silent from the start.
    expect(each.take()).toEqual([]);
    each.clock.advance(1);
    each.account.pipeline.flushIdle();
    const empty = each.take();
    expect(empty).toHaveLength(4);
    expect(empty.every((envelope) => envelope.ticks.length === 0)).toBe(true);
    expect(empty.map((envelope) => envelope.seq).sort()).toEqual([1, 1, 1, 2]);
  });

  it('counts anew under a new lease and is dropped, counted, without one', () => {
    const each = lane();
    tick(each, 0, 100);
    each.lease.value = undefined;
    tick(each, 0, 200);
    each.lease.value = 2;
    tick(each, 0, 300);
    expect(each.take().map(({ lease, seq }) => [lease, seq])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(each.account.batchers.equities.discardedTotal).toBe(1);
  });
});

describe('a sink that takes nothing', () => {
  it('gets the newest values of each instrument later, and is told how many were folded', () => {
    const each = lane({ BATCH_MAX_TICKS: '2' });
    each.sink.accepts = false;
    each.sink.isIdle = false;
    for (let price = 1; price <= 10; price += 1)
      for (const index of [0, 1, 2]) tick(each, index, price * 100);
    expect(each.batches).toHaveLength(0);
    each.sink.accepts = true;
    each.account.pipeline.flush();
    const envelopes = each.take();
    expect(envelopes.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const prices = envelopes.flatMap(({ ticks }) =>
      ticks.map(({ tradingsymbol, ltp }) => [tradingsymbol, ltp]),
    );
    expect(prices.slice(0, 2)).toEqual([
      ['E0', 1],
      ['E1', 1],
    ]);
    expect(Object.fromEntries(prices.slice(2))).toEqual({ E0: 10, E1: 10, E2: 10 });
    const folded = envelopes.reduce((sum, envelope) => sum + envelope.folded, 0);
    expect(prices.length + folded).toBe(30);
  });

  it('loses nothing that is not counted, whatever comes when', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ tick: fc.integer({ min: 0, max: 11 }) }) },
      { weight: 1, arbitrary: fc.record({ accepts: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constant({ flush: true }) },
    );
    const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const each = lane({ BATCH_MAX_TICKS: '4' });
      const last = new Map<string, number>();
      let sent = 0;
      for (const what of steps) {
        if ('tick' in what) {
          sent += 1;
          tick(each, what.tick, sent);
          last.set(`E${what.tick}`, sent / 100);
        } else if ('accepts' in what) each.sink.isIdle = each.sink.accepts = what.accepts;
        else each.account.pipeline.flush();
      }
      each.sink.accepts = true;
      each.account.pipeline.flush();
      const envelopes = each.take();
      each.account.close();
      const ticks = envelopes.flatMap((envelope) => envelope.ticks);
      const folded = envelopes.reduce((sum, envelope) => sum + envelope.folded, 0);
      expect(ticks.length + folded).toBe(sent);
      expect(envelopes.map(({ seq }) => seq)).toEqual(envelopes.map((_, index) => index + 1));
      const seen = new Map<string, number>();
      for (const { tradingsymbol, ltp } of ticks) {
        expect(ltp).toBeGreaterThan(seen.get(tradingsymbol) ?? 0);
        seen.set(tradingsymbol, ltp);
      }
      expect(seen).toEqual(last);
    });
    fc.assert(property, { seed: 9, numRuns: 300 });
  });
});

describe('removing one instrument', () => {
  it("leaves every other instrument's ticks and the sequence as they were", () => {
    const each = lane();
    const untouched = lane();
    for (const one of [each, untouched]) {
      for (let round = 0; round < 5; round += 1) {
        if (round === 2 && one === each) one.account.apply([], [EQUITIES[0]!.instrument_token]);
        for (let index = 1; index < 12; index += 1) tick(one, index, round * 100 + index);
      }
    }
    expect(each.take()).toEqual(untouched.take());
  });
});

describe('synthetic snapshots', () => {
  const slotsOf = (each: Lane) => [...each.account.slots].slice(0, 5);

  it('leave at once in batches of their own, in as many as it takes', () => {
    const each = lane({ BATCH_MAX_TICKS: '2' });
    for (let index = 0; index < 5; index += 1) tick(each, index, 100);
    each.take();
    expect(each.account.batchers.equities.publishMocks(slotsOf(each))).toBe(5);
    expect(each.take().map((envelope) => envelope.ticks.length)).toEqual([2, 2, 1]);
    expect(each.account.batchers.equities).toMatchObject({ mockTotal: 5, publishedTotal: 5, backlog: 0 });
  });

  it('never wait: not while the sink takes nothing, nor while real ones wait, nor without a lease', () => {
    const each = lane();
    for (let index = 0; index < 5; index += 1) tick(each, index, 100);
    each.take();
    const { equities } = each.account.batchers;
    each.sink.accepts = false;
    expect(equities.publishMocks(slotsOf(each))).toBe(0);
    each.sink.isIdle = false;
    tick(each, 0, 200);
    each.sink.accepts = true;
    expect(equities.publishMocks(slotsOf(each))).toBe(0);
    each.account.pipeline.flush();
    each.lease.value = undefined;
    expect(equities.publishMocks(slotsOf(each))).toBe(0);
    expect(each.take().flatMap((envelope) => envelope.ticks.map(({ ltp }) => ltp))).toEqual([2]);
    expect(equities).toMatchObject({ mockTotal: 0, discardedTotal: 0, backlog: 0 });
  });

  it('can be emptied to what tells their number, fold count and lease', () => {
    const each = lane();
    tick(each, 0, 100);
    each.take();
    each.account.batchers.equities.publishMocks(slotsOf(each).slice(0, 1));
    const [batch] = each.batches;
    const whole = JSON.parse(batch!.payload.toString());
    expect(JSON.parse(batch!.emptied!().toString())).toEqual({ ...whole, ticks: [] });
    expect(whole.ticks).toHaveLength(1);
  });
});
