import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { optionPrice } from '#shared/market/greeks.ts';
import type { OptionSnapshot, Snapshot } from '#shared/market/snapshot.ts';
import {
  frameOf,
  fullPacket,
  indexPacket,
  instrumentRow,
  ltpPacket,
  optionRow,
} from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';
import { slowOption } from '#test/support/slow-snapshot.ts';

const INDEX = 256_265;
const SPOT = 25_000;
const NOW_MS = istMs('2026-08-18', '11:00');
const NOW_S = NOW_MS / 1_000;
const CALL = optionRow((1_000 << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type: 'CE' });
const PUT = optionRow((1_001 << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type: 'PE' });

const lanes: Lane[] = [];
function lane(env?: Readonly<Record<string, string>>, nowMs = NOW_MS): Lane {
  const made = newLane(nowMs, env);
  lanes.push(made);
  return made;
}
afterEach(() => {
  for (const each of lanes.splice(0)) each.account.close();
});

function optionsOf(each: Lane): OptionSnapshot[] {
  const ticks = each.take().flatMap((envelope) => envelope.ticks);
  return ticks.filter((tick): tick is OptionSnapshot => tick.type === 'option');
}

function book(bid: number, ask: number) {
  return Array.from({ length: 10 }, (_, index) => ({
    quantity: 65 * (index + 1),
    price: index < 5 ? Math.max(0, bid - index * 5) : ask + (index - 5) * 5,
    orders: index + 1,
  }));
}

describe('a published option', () => {
  const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const tick = fc.record({
    strike: fc.integer({ min: 440, max: 560 }).map((step) => step * 50),
    type: fc.constantFrom('CE' as const, 'PE' as const),
    expiry: fc.constantFrom('2026-08-18', '2026-08-25', '2026-09-29'),
    sigma: fc.double({ min: 0.05, max: 0.8, noNaN: true }),
    spot: fc.integer({ min: 24_500 * 20, max: 25_500 * 20 }).map((step) => step * 5),
    secondsFromNow: fc.integer({ min: -600, max: 0 }),
    spread: fc.integer({ min: 1, max: 40 }).map((step) => step * 5),
    zeroBid: fc.boolean(),
    hasTraded: fc.boolean(),
    hasTime: fc.boolean(),
    volume: u32,
    oi: u32,
    quantity: u32,
    orders: fc.integer({ min: 0, max: 65_535 }),
  });

  it('carries the numbers that a slow and independent computation gives', () => {
    const property = fc.property(tick, (given) => {
      const each = lane();
      const option = optionRow((2_000 << 8) | 2, given);
      each.claim([option]);
      const exchange_time = given.hasTime ? NOW_S + given.secondsFromNow : 0;
      const years = (istMs(given.expiry, '15:40') - (exchange_time || NOW_S) * 1_000) / (365 * 86_400_000);
      const value = optionPrice(given.type, given.spot / 100, given.strike, years, given.sigma, 0.1, 0);
      const last = Math.max(5, Math.round(value * 20) * 5);
      const depth = book(given.zeroBid ? 0 : Math.max(0, last - given.spread), last + given.spread).map(
        (level) => ({ ...level, quantity: given.quantity, orders: given.orders }),
      );
      const { volume, oi } = given;
      const packet = fullPacket(option.instrument_token, {
        last_price: given.hasTraded ? last : 0,
        volume,
        oi,
        exchange_time,
        depth,
      });
      each.account.pipeline.frame(frameOf([indexPacket(INDEX, given.spot, NOW_S), packet]));
      const [published] = optionsOf(each);
      each.account.close();
      compare(published!, slowOption(packet, option, given.spot / 100, NOW_MS));
    });
    fc.assert(property, { seed: 5, numRuns: 1_500 });
  });

  function compare(published: OptionSnapshot, slow: ReturnType<typeof slowOption>): void {
    const { ltp, volume, oi, bid, ask, ohlc, depth, exchange_ts } = published;
    expect({ ltp, volume, oi, bid, ask, ohlc, depth, exchange_ts }).toEqual({
      ltp: slow.ltp,
      volume: slow.volume,
      oi: slow.oi,
      bid: slow.bid,
      ask: slow.ask,
      ohlc: slow.ohlc,
      depth: slow.depth,
      exchange_ts: slow.exchange_ts,
    });
    expect(published.iv_status).toBe(slow.iv === null ? 'none' : 'ok');
    if (slow.iv === null || slow.greeks === undefined) return;
    // Where the price hardly depends on volatility, its rounding moves the volatility more than the last digit.
    const blur = 1e-9 / Math.max(Math.abs(slow.greeks.vega) * 100, 1e-6);
    expect(Math.abs(published.iv! - slow.iv)).toBeLessThan(1e-6 + blur + 1e-7 * slow.iv);
    expect(Math.abs(published.delta! - slow.greeks.delta)).toBeLessThan(2e-4);
    expect(Math.abs(published.gamma! - slow.greeks.gamma)).toBeLessThan(
      1e-8 + 1e-2 * Math.abs(slow.greeks.gamma),
    );
    const near = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThan(1e-3 + 1e-4 * Math.abs(b));
    near(published.theta!, slow.greeks.theta);
    near(published.vega!, slow.greeks.vega);
    near(published.rho!, slow.greeks.rho);
  }

  it('is told without volatility and with the reason before its underlying has a price', () => {
    const each = lane();
    each.claim([CALL]);
    each.account.pipeline.frame(
      frameOf([fullPacket(CALL.instrument_token, { last_price: 15_000, exchange_time: NOW_S })]),
    );
    const [option] = optionsOf(each);
    expect(option).toMatchObject({ iv: null, iv_status: 'none', iv_reason: 'no_underlying', delta: null });
    expect(option!.underlying_ltp).toBeNull();
  });

  it('keeps its last volatility for five seconds, marked stale, and then none', () => {
    const each = lane();
    each.claim([CALL]);
    const at = (seconds: number, last_price: number) => {
      each.account.pipeline.frame(
        frameOf([
          indexPacket(INDEX, SPOT * 100, NOW_S + seconds),
          fullPacket(CALL.instrument_token, { last_price, exchange_time: NOW_S + seconds }),
        ]),
      );
      return optionsOf(each)[0]!;
    };
    const good = at(0, 25_000);
    expect(good.iv_status).toBe('ok');
    const stale = at(5, 1);
    expect(stale).toMatchObject({ iv: good.iv, iv_status: 'stale', iv_reason: 'below_intrinsic' });
    expect(stale.delta).not.toBeNull();
    expect(at(6, 1)).toMatchObject({ iv: null, iv_status: 'none', iv_reason: 'below_intrinsic', vega: null });
  });

  it.each([
    ['a zero bid', book(0, 26_000)],
    ['a crossed book', book(26_000, 25_900)],
    ['a book too wide to say anything', book(5_000, 60_000)],
  ])('is priced from its last trade beside %s', (_what, depth) => {
    const each = lane();
    each.claim([CALL, PUT]);
    const index = indexPacket(INDEX, SPOT * 100, NOW_S);
    const traded = { last_price: 25_000, exchange_time: NOW_S };
    each.account.pipeline.frame(
      frameOf([
        index,
        fullPacket(CALL.instrument_token, { ...traded, depth }),
        ltpPacket(CALL.instrument_token, 25_000),
      ]),
    );
    const [withBook, bare] = optionsOf(each);
    // Without an exchange time the second is priced at its arrival, the same moment here.
    expect(withBook!.iv).toBe(bare!.iv);
  });

  it('is priced from the middle of a sane book before the first trade', () => {
    const each = lane();
    each.claim([CALL]);
    const packet = fullPacket(CALL.instrument_token, {
      last_price: 0,
      exchange_time: NOW_S,
      depth: book(24_990, 25_010),
    });
    each.account.pipeline.frame(frameOf([indexPacket(INDEX, SPOT * 100, NOW_S), packet]));
    const [untraded] = optionsOf(each);
    expect(untraded).toMatchObject({ ltp: 0, iv_status: 'ok' });
    const traded = fullPacket(CALL.instrument_token, { last_price: 25_000, exchange_time: NOW_S });
    each.account.pipeline.frame(frameOf([traded]));
    expect(optionsOf(each)[0]!.iv).toBe(untraded!.iv);
  });

  it('expires at the calendar closing time to the second', () => {
    const each = lane({}, istMs('2026-08-25', '15:39:59'));
    each.claim([CALL]);
    const at = (seconds: number) => {
      const exchange_time = istMs('2026-08-25', '15:39:59') / 1_000 + seconds;
      each.account.pipeline.frame(
        frameOf([
          indexPacket(INDEX, SPOT * 100, exchange_time),
          fullPacket(CALL.instrument_token, { last_price: 50, exchange_time }),
        ]),
      );
      return optionsOf(each)[0]!;
    };
    expect(at(0)).toMatchObject({ iv_status: 'ok' });
    expect(at(1)).toMatchObject({ iv: null, iv_status: 'none', iv_reason: 'expired' });
  });
});

describe('pricing on the forward', () => {
  it('takes the forward from put-call parity at the strike nearest to spot, and says when there is none', () => {
    const each = lane({ PRICING_MODEL: 'black76_forward' });
    each.claim([CALL, PUT]);
    const index = indexPacket(INDEX, SPOT * 100 + 1_000, NOW_S);
    const packet = (token: number, last_price: number) =>
      fullPacket(token, { last_price, exchange_time: NOW_S });
    each.account.pipeline.frame(frameOf([index, packet(CALL.instrument_token, 30_000)]));
    expect(optionsOf(each)[0]).toMatchObject({ iv: null, iv_reason: 'no_forward', underlying_ltp: 25_010 });
    each.account.pipeline.frame(
      frameOf([packet(PUT.instrument_token, 25_000), packet(CALL.instrument_token, 30_000)]),
    );
    const [put, call] = optionsOf(each);
    // On the parity forward call and put of the strike have one volatility.
    expect(put!.iv_status).toBe('ok');
    expect(call!.iv).toBe(put!.iv);
    const discount = Math.exp((-0.1 * (istMs('2026-08-25', '15:40') - NOW_MS)) / (365 * 86_400_000));
    expect(call!.delta! - put!.delta!).toBeCloseTo(discount, 5);
  });
});

describe('other instruments', () => {
  it('go to their channels without invented Greeks, and only with the fields that their mode carries', () => {
    const each = lane();
    const future = instrumentRow({
      instrument_token: (3_000 << 8) | 2,
      tradingsymbol: 'NIFTY26AUGFUT',
      expiry: '2026-08-25',
      instrument_type: 'FUT',
      segment: 'NFO-FUT',
      exchange: 'NFO',
    });
    const equity = instrumentRow({ instrument_token: (4_000 << 8) | 1, tradingsymbol: 'A&B "x"', name: 'A' });
    each.claim([future, equity]);
    each.account.pipeline.frame(
      frameOf([
        fullPacket(future.instrument_token, {
          last_price: 2_501_005,
          exchange_time: NOW_S,
          close: 2_500_000,
        }),
        ltpPacket(equity.instrument_token, 123_450),
      ]),
    );
    const ticks = each.take().flatMap((envelope) => envelope.ticks) as Snapshot[];
    expect(ticks.map((tick) => tick.type)).toEqual(['future', 'equity']);
    for (const tick of ticks) expect(tick).not.toHaveProperty('iv');
    expect(ticks[1]).toEqual({
      type: 'equity',
      instrument_token: equity.instrument_token,
      tradingsymbol: 'A&B "x"',
      mode: 'ltp',
      ltp: 1_234.5,
      exchange_ts: null,
      received_ts: NOW_MS,
      is_mock: false,
    });
  });

  it('an index held for pricing alone is neither published nor counted as a subscription', () => {
    const each = lane();
    each.claim([CALL]);
    each.account.pipeline.frame(frameOf([indexPacket(INDEX, SPOT * 100, NOW_S)]));
    expect(each.take()).toEqual([]);
    expect(each.account.subscriptions).toBe(1);
    expect(each.account.pipeline.counts).toMatchObject({ packets: 1, pricingOnly: 1 });
  });
});

describe('what is wrong with a packet', () => {
  function rejected(each: Lane): Record<string, number> {
    const counts = Object.entries(each.account.pipeline.counts.rejected);
    return Object.fromEntries(counts.filter(([, times]) => times > 0));
  }

  it('is counted by reason, and the rest of the frame goes on', () => {
    const each = lane();
    each.claim([CALL]);
    const good = fullPacket(CALL.instrument_token, { last_price: 25_000, volume: 100, exchange_time: NOW_S });
    const bad = (values: Parameters<typeof fullPacket>[1]) => fullPacket(CALL.instrument_token, values);
    each.account.pipeline.frame(
      frameOf([
        good,
        ltpPacket(77, 100),
        Buffer.alloc(13),
        bad({ last_price: 2 ** 32 - 1 }),
        bad({ last_price: 25_000, exchange_time: NOW_S - 10, volume: 100 }),
        bad({ last_price: 25_000, exchange_time: NOW_S + 3_600, volume: 100 }),
        bad({ last_price: 25_000, exchange_time: NOW_S, volume: 99 }),
        indexPacket(INDEX, 0, NOW_S),
        good,
      ]),
    );
    expect(optionsOf(each)).toHaveLength(2);
    expect(rejected(each)).toEqual({
      unknown_token: 1,
      unknown_length: 1,
      price_out_of_range: 1,
      time_backwards: 1,
      time_out_of_range: 1,
      volume_backwards: 1,
      no_index_price: 1,
    });
  });

  it('a jump beyond the circuit limit is not believed, until it persists', () => {
    const each = lane({ REBASE_AFTER_REJECTS: '3' });
    each.claim([CALL]);
    const body = indexPacket(INDEX, SPOT * 100, NOW_S);
    body.writeUInt32BE(SPOT * 150, 4);
    for (let times = 0; times < 4; times += 1) each.account.pipeline.frame(frameOf([body]));
    expect(rejected(each)).toEqual({ beyond_circuit: 3 });
    expect(each.account.pipeline.counts.pricingOnly).toBe(1);
  });

  it('every packet is accounted for, whatever bytes come', () => {
    const each = lane();
    each.claim([CALL, PUT]);
    const property = fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      each.account.pipeline.frame(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    });
    fc.assert(property, { seed: 3, numRuns: 3_000 });
    const { packets, pricingOnly, rejected: reasons } = each.account.pipeline.counts;
    const { truncated_frame, trailing_bytes, ...ofPackets } = reasons;
    const refused = Object.values(ofPackets).reduce((sum, times) => sum + times, 0);
    expect(packets).toBe(refused + pricingOnly + each.account.batchers.options.publishedTotal);
    expect(truncated_frame + trailing_bytes).toBeGreaterThan(0);
  });
});
