import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import type { Snapshot } from '#shared/market/snapshot.ts';
import { AfterHours, type AfterHoursSettings } from '#streamer/after-hours/after-hours.ts';
import {
  frameOf,
  fullPacket,
  indexPacket,
  instrumentRow,
  ltpPacket,
  optionRow,
} from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';

const INDEX = 256_265;
const SHARE = instrumentRow({ instrument_token: (9 << 8) | 1, tradingsymbol: 'INFY', tick_size: 0.05 });
const FUTURE = instrumentRow({
  instrument_token: (20 << 8) | 2,
  tradingsymbol: 'NIFTY26AUGFUT',
  instrument_type: 'FUT',
  segment: 'NFO-FUT',
  expiry: '2026-08-25',
  tick_size: 0.1,
});
const CALL = optionRow((30 << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type: 'CE' });
const LAST = { [INDEX]: 2_500_000, [SHARE.instrument_token]: 150_000 } as Record<number, number>;
LAST[FUTURE.instrument_token] = 2_505_000;
LAST[CALL.instrument_token] = 21_000;
const ROWS = [SHARE, FUTURE, CALL];

const TICK_MS = 1_000;
const QUIET_MS = 15_000;
const SESSION_QUIET_MS = 60_000;
const SETTINGS: AfterHoursSettings = {
  rounds: { seed: 7, tickMs: TICK_MS, band: 0.005, step: 0.0002 },
  quietMs: QUIET_MS,
  sessionQuietMs: SESSION_QUIET_MS,
  leadMs: 60_000,
  returnMs: 600_000,
};
const CLOSE = istMs('2026-08-18', '15:40');
const MORNING = istMs('2026-08-19', '09:00');

/** One process: its accounts share clock, sink and synthetic source. */
class Night {
  readonly lanes: Lane[];
  readonly clock: ManualClock;
  readonly source: AfterHours;
  isIdle = true;
  withdrawals = 0;
  readonly #nowMs: number;

  constructor(nowMs: number, accounts = 1) {
    this.#nowMs = nowMs;
    this.clock = new ManualClock(nowMs);
    const isIdle = () => this.isIdle;
    const sink = {
      get isIdle() {
        return isIdle();
      },
      withdrawMocks: () => {
        this.withdrawals += 1;
      },
    };
    this.source = new AfterHours(SETTINGS, this.clock, sink);
    this.lanes = Array.from({ length: accounts }, () => newLane(nowMs));
    for (const lane of this.lanes) this.source.join(lane.account);
  }

  /** Claims and tells the instruments as the session left them. */
  told(lane = this.lanes[0]!, atMs = Math.min(this.#nowMs, CLOSE), rows = ROWS): void {
    lane.claim(rows);
    const exchange_time = Math.floor(atMs / 1_000);
    const packets = rows.map(({ instrument_token: token }) =>
      fullPacket(token, {
        last_price: LAST[token]!,
        exchange_time,
        volume: 1_000,
        depth: depthAround(LAST[token]!),
      }),
    );
    lane.account.pipeline.frame(frameOf([indexPacket(INDEX, LAST[INDEX]!, exchange_time), ...packets]));
  }

  /** Lets market and machine time pass, in turns. */
  pass(ms: number): void {
    for (let done = 0; done < ms; done += this.source.turnMs) {
      this.clock.advance(this.source.turnMs);
      for (const lane of this.lanes) lane.clock.advance(this.source.turnMs);
      this.source.turn();
    }
  }

  jumpTo(ms: number): void {
    const by = ms - this.clock.nowMs();
    this.clock.advance(by);
    for (const lane of this.lanes) lane.clock.advance(by);
    this.source.turn();
  }

  ticks(lane = this.lanes[0]!): Snapshot[] {
    return lane.take().flatMap((envelope) => envelope.ticks);
  }
}

function depthAround(price: number) {
  return Array.from({ length: 10 }, (_, level) => ({
    quantity: 65,
    price: level < 5 ? price - 10 * (level + 1) : price + 10 * (level - 4),
    orders: 1,
  }));
}

const nights: Night[] = [];
function night(nowMs: number, accounts = 1): Night {
  const made = new Night(nowMs, accounts);
  nights.push(made);
  return made;
}
afterEach(() => {
  for (const { lanes } of nights.splice(0)) for (const lane of lanes) lane.account.close();
});

const of = (ticks: readonly Snapshot[], token: number) =>
  ticks.filter((tick) => tick.instrument_token === token);

describe('when the market has closed', () => {
  it('waits until the last ticks have come, then lets every instrument that is claimed tick once a round', () => {
    const each = night(CLOSE - 1_000);
    each.told();
    each.pass(1_000 + QUIET_MS - 100);
    expect(each.source.source).toBe('real');
    expect(each.ticks().every((tick) => !tick.is_mock)).toBe(true);
    each.pass(10 * TICK_MS + 200);
    const ticks = each.ticks();
    expect(each.source.source).toBe('simulated');
    expect(ticks.every((tick) => tick.is_mock)).toBe(true);
    // The index is held for pricing alone: nobody claimed it.
    expect(of(ticks, INDEX)).toEqual([]);
    for (const { instrument_token } of ROWS) {
      const own = of(ticks, instrument_token);
      expect(own.length).toBeGreaterThanOrEqual(10);
      expect(own.length).toBeLessThanOrEqual(11);
    }
  });

  it('begins at the last real prices and moves at most a step a tick from there', () => {
    const each = night(CLOSE);
    each.told();
    each.ticks();
    each.pass(QUIET_MS + 120 * TICK_MS);
    const ticks = each.ticks();
    for (const { instrument_token, tick_size } of [SHARE, FUTURE]) {
      const own = of(ticks, instrument_token);
      expect(own[0]!.ltp * 100).toBe(LAST[instrument_token]);
      for (const [index, { ltp }] of own.entries()) {
        const before = own[index - 1]?.ltp ?? ltp;
        expect(Math.abs(ltp - before)).toBeLessThanOrEqual(0.0002 * before + tick_size + 1e-9);
      }
      expect(new Set(own.map(({ ltp }) => ltp)).size).toBeGreaterThan(20);
    }
    expect(of(ticks, CALL.instrument_token)[0]!.ltp * 100).toBe(LAST[CALL.instrument_token]);
  });

  it('keeps options consistent with the index: same displacement, volatility of the close', () => {
    const each = night(CLOSE);
    each.told();
    const [real] = of(each.ticks(), CALL.instrument_token);
    each.pass(QUIET_MS + 300 * TICK_MS);
    const options = of(each.ticks(), CALL.instrument_token);
    const spots = options.map((tick) => (tick.type === 'option' ? tick.underlying_ltp! : 0));
    expect(Math.max(...spots) - Math.min(...spots)).toBeGreaterThan(10);
    for (const tick of options) {
      if (tick.type !== 'option' || real?.type !== 'option') throw new Error('an option is wanted');
      expect(tick.iv_status).toBe('ok');
      expect(Math.abs(tick.iv! - real.iv!)).toBeLessThan(0.0005);
      expect(tick).toMatchObject({ volume: real.volume, oi: real.oi, ohlc: real.ohlc, exchange_ts: null });
      expect(tick.bid!).toBeLessThan(tick.ask!);
      expect(tick.ltp).toBeGreaterThan(tick.bid!);
    }
  });

  it('never leaves its band, whatever the hour, and is back at the last real prices before the session', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 17 * 3_600 }), (second) => {
        const each = night(CLOSE);
        each.told();
        each.pass(QUIET_MS + 2 * TICK_MS);
        each.jumpTo(Math.min(CLOSE + second * 1_000, MORNING - 660_000));
        each.pass(40 * TICK_MS);
        const own = of(each.ticks(), SHARE.instrument_token).filter((tick) => tick.is_mock);
        const last = LAST[SHARE.instrument_token]! / 100;
        for (const { ltp } of own) expect(Math.abs(ltp / last - 1)).toBeLessThanOrEqual(0.005 + 1e-4);
        each.jumpTo(MORNING - 660_000);
        each.pass(600_000 - TICK_MS);
        const held = of(each.ticks(), SHARE.instrument_token);
        expect(held.length).toBeGreaterThan(500);
        expect(held.at(-1)).toMatchObject({ ltp: last, is_mock: true });
      }),
      { seed: 8, numRuns: 4 },
    );
  });

  it('makes nothing of an instrument without a price, nor of a contract that has expired', () => {
    const expired = optionRow((31 << 8) | 2, { expiry: '2026-08-18', strike: 25_000, type: 'PE' });
    LAST[expired.instrument_token] = 500;
    const each = night(CLOSE);
    each.told(each.lanes[0], CLOSE, [SHARE, expired]);
    each.lanes[0]!.claim([FUTURE]);
    each.ticks();
    each.pass(QUIET_MS + 5 * TICK_MS);
    expect(new Set(each.ticks().map((tick) => tick.instrument_token))).toEqual(
      new Set([SHARE.instrument_token]),
    );
  });

  it('waits while Redis is busy: what nobody can take is not made', () => {
    const each = night(CLOSE);
    each.told();
    each.isIdle = false;
    each.ticks();
    each.pass(QUIET_MS + 5 * TICK_MS);
    expect(each.ticks()).toEqual([]);
    each.isIdle = true;
    each.pass(TICK_MS);
    expect(each.ticks().length).toBeGreaterThanOrEqual(ROWS.length);
  });

  it('counts synthetic ticks apart from real ones, and no packet', () => {
    const each = night(CLOSE);
    each.told();
    const { pipeline, batchers } = each.lanes[0]!.account;
    const before = [pipeline.counts.packets, batchers.options.publishedTotal, pipeline.lastTickMs];
    each.pass(QUIET_MS + 5 * TICK_MS);
    expect([pipeline.counts.packets, batchers.options.publishedTotal, pipeline.lastTickMs]).toEqual(before);
    expect(batchers.options.mockTotal).toBeGreaterThanOrEqual(5);
  });

  it('publishes nothing of an account whose lease is gone', () => {
    const each = night(CLOSE);
    each.told();
    each.ticks();
    each.lanes[0]!.lease.value = undefined;
    each.pass(QUIET_MS + 5 * TICK_MS);
    expect(each.ticks()).toEqual([]);
    expect(each.lanes[0]!.account.batchers.options.discardedTotal).toBe(0);
  });
});

describe('when a session begins', () => {
  function simulating(accounts = 1): Night {
    const each = night(CLOSE, accounts);
    for (const lane of each.lanes) each.told(lane);
    each.pass(QUIET_MS + 60 * TICK_MS);
    for (const lane of each.lanes) each.ticks(lane);
    return each;
  }

  it('ends by the calendar a minute before the pre-open, and by day no tick is looked at', () => {
    const each = simulating();
    each.jumpTo(MORNING - 60_001);
    expect(each.source.source).toBe('simulated');
    expect(each.lanes[0]!.account.pipeline.onReal).toBeDefined();
    each.ticks();
    each.jumpTo(MORNING - 60_000);
    each.pass(10 * TICK_MS);
    expect(each.ticks()).toEqual([]);
    expect(each.source.source).toBe('real');
    expect(each.withdrawals).toBe(1);
    expect(each.lanes[0]!.account.pipeline.onReal).toBeUndefined();
  });

  it('ends with the first real tick of a session that the calendar does not know, on every account at once', () => {
    const each = simulating(2);
    each.jumpTo(istMs('2026-08-22', '10:00'));
    each.pass(5 * TICK_MS);
    for (const lane of each.lanes) each.ticks(lane);
    const [first, second] = each.lanes as [Lane, Lane];
    const exchange_time = istMs('2026-08-22', '10:00') / 1_000 + 4;
    first.account.pipeline.frame(
      frameOf([fullPacket(SHARE.instrument_token, { last_price: 151_000, exchange_time, close: 150_000 })]),
    );
    expect(each.withdrawals).toBe(1);
    const [tick, ...more] = each.ticks(first);
    expect(more).toEqual([]);
    expect(tick).toMatchObject({ ltp: 1_510, is_mock: false });
    each.pass(SESSION_QUIET_MS - 1_000);
    expect([...each.ticks(first), ...each.ticks(second)]).toEqual([]);
    // Nothing real for a while: the night goes on, from the new real price.
    each.pass(3_000);
    expect(of(each.ticks(first), SHARE.instrument_token)[0]).toMatchObject({ ltp: 1_510, is_mock: true });
    expect(each.ticks(second).length).toBeGreaterThan(0);
  });

  it('makes nothing synthetic while the feed is away in the midst of a session that the calendar does not know', () => {
    const each = night(istMs('2026-08-22', '09:59'));
    each.told();
    each.pass(60_000);
    expect(each.source.source).toBe('simulated');
    each.ticks();
    const real = () => {
      const exchange_time = Math.floor(each.clock.nowMs() / 1_000);
      const packet = fullPacket(SHARE.instrument_token, {
        last_price: 151_000,
        exchange_time,
        close: 150_000,
      });
      each.lanes[0]!.account.pipeline.frame(frameOf([packet]));
    };
    for (let second = 0; second < 60; second += 1) {
      if (second < 10 || second >= 32) real();
      each.pass(1_000);
    }
    const isMock = of(each.ticks(), SHARE.instrument_token).map((tick) => tick.is_mock);
    expect(isMock.filter((mock) => mock)).toEqual([]);
    expect(isMock).toHaveLength(38);
  });

  it("does not take the broker's cached snapshot for a session: it is real, and prices start from it anew", () => {
    const each = simulating();
    const share = SHARE.instrument_token;
    const cached = { last_price: 149_000, exchange_time: CLOSE / 1_000, volume: 1_000 };
    each.lanes[0]!.account.pipeline.frame(frameOf([fullPacket(share, cached)]));
    expect(of(each.ticks(), share)).toMatchObject([{ ltp: 1_490, is_mock: false }]);
    each.pass(2 * TICK_MS);
    expect(of(each.ticks(), share)[0]).toMatchObject({ ltp: 1_490, is_mock: true });
    expect(each.source.source).toBe('simulated');
  });

  it('rejects no real tick for anything synthetic, and starts its volatility from the last real one', () => {
    const each = simulating();
    const { account } = each.lanes[0]!;
    const call = [...account.slots].find((slot) => slot.token === CALL.instrument_token)!;
    const lastIv = call.option!.lastIv;
    expect(call.shown).not.toBe(call);
    each.jumpTo(MORNING - 30_000);
    expect(call.shown).toBe(call);
    expect(call.option!.lastIv).toBe(lastIv);
    expect(call.fields[0]).toBe(LAST[CALL.instrument_token]);
    each.jumpTo(istMs('2026-08-19', '09:15') + 1_000);
    const exchange_time = istMs('2026-08-19', '09:15') / 1_000;
    const lots = { volume: 65, close: 25_000 };
    account.pipeline.frame(
      frameOf([
        indexPacket(INDEX, 2_510_000, exchange_time),
        fullPacket(CALL.instrument_token, { last_price: 26_000, exchange_time, ...lots }),
        fullPacket(SHARE.instrument_token, { last_price: 149_900, exchange_time, ...lots, close: 150_000 }),
      ]),
    );
    expect(each.ticks().map(({ ltp, is_mock }) => [ltp, is_mock])).toEqual([
      [260, false],
      [1_499, false],
    ]);
    expect(Object.values(account.pipeline.counts.rejected).every((times) => times === 0)).toBe(true);
  });

  it('gives the last-value hash its real values back', () => {
    const each = simulating();
    const slots = [...each.lanes[0]!.account.slots].filter((slot) => slot.published);
    const published = slots.map((slot) => slot.shown.seq);
    expect(slots.every((slot) => slot.shown.mock !== undefined)).toBe(true);
    each.jumpTo(MORNING - 30_000);
    expect(slots.every((slot) => slot.shown === slot)).toBe(true);
    expect(slots.map((slot) => slot.seq)).toEqual(published);
  });

  it('is not missed by an account that joins at night', () => {
    const each = simulating();
    const late = newLane(each.clock.nowMs());
    each.lanes.push(late);
    each.source.join(late.account);
    each.told(late, CLOSE, [SHARE]);
    each.ticks(late);
    const exchange_time = Math.floor(each.clock.nowMs() / 1_000) + 1;
    late.account.pipeline.frame(
      frameOf([fullPacket(SHARE.instrument_token, { last_price: 150_100, exchange_time, volume: 2_000 })]),
    );
    expect(each.source.source).toBe('real');
    each.source.leave(late.account);
    expect(late.account.pipeline.onReal).toBeUndefined();
  });

  it('is seen in ticks that carry no time, too', () => {
    const each = night(CLOSE);
    const lane = each.lanes[0]!;
    lane.claim([SHARE], 'ltp');
    lane.account.pipeline.frame(frameOf([ltpPacket(SHARE.instrument_token, 150_000)]));
    each.pass(QUIET_MS + 5 * TICK_MS);
    lane.account.pipeline.frame(frameOf([ltpPacket(SHARE.instrument_token, 150_000)]));
    expect(each.source.source).toBe('simulated');
    lane.account.pipeline.frame(frameOf([ltpPacket(SHARE.instrument_token, 150_500)]));
    expect(each.source.source).toBe('real');
  });
});

describe('a whole night', () => {
  it('keeps what it holds: the twins of the first minute are those of the last', () => {
    const each = night(CLOSE);
    each.told();
    each.pass(QUIET_MS + 5 * TICK_MS);
    const slots = [...each.lanes[0]!.account.slots];
    const twins = slots.map((slot) => slot.shown);
    for (let hour = 1; hour <= 16; hour += 1) {
      each.jumpTo(CLOSE + hour * 3_600_000);
      each.pass(20 * TICK_MS);
      each.ticks();
    }
    expect([...each.lanes[0]!.account.slots].map((slot) => slot.shown)).toEqual(twins);
    expect(slots.every((slot, index) => slot.shown === twins[index])).toBe(true);
    expect(each.lanes[0]!.account.batchers.options.backlog).toBe(0);
  });

  it('is the same for the same seed, on any account and in any process', () => {
    const one = night(CLOSE, 2);
    const two = night(CLOSE);
    for (const each of [one, two]) {
      for (const lane of each.lanes) each.told(lane);
      each.pass(QUIET_MS + 200 * TICK_MS);
    }
    const prices = (ticks: readonly Snapshot[]) => of(ticks, FUTURE.instrument_token).map(({ ltp }) => ltp);
    const [first, second] = one.lanes as [Lane, Lane];
    const expected = prices(one.ticks(first));
    expect(prices(one.ticks(second))).toEqual(expected);
    expect(prices(two.ticks())).toEqual(expected);
  });
});
