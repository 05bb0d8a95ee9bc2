import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { GREEK, optionPrice } from '#shared/market/greeks.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { newTwin, placeTwin, type Twin } from '#streamer/after-hours/twin.ts';
import type { Slot } from '#streamer/enrich/slot.ts';
import { ASK_FIELD, FIELD } from '#streamer/feed/decode.ts';
import {
  frameOf,
  fullPacket,
  indexPacket,
  instrumentRow,
  ltpPacket,
  optionRow,
  type PacketValues,
} from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';

const INDEX = 256_265;
const SPOT = 25_000;
const CLOSE_MS = istMs('2026-08-18', '15:40');
const NIGHT_MS = istMs('2026-08-19', '03:00');
const OPTION_TOKEN = (1_000 << 8) | 2;
const TICK = 5;

/** Five levels a side, a tick apart, around a price in paise. */
function bookAround(price: number, halfSpread: number): PacketValues['depth'] {
  const level = (away: number) => ({ quantity: 65 * (away + 1), price: 0, orders: away + 1 });
  const bids = [0, 1, 2, 3, 4].map((away) => {
    const bid = price - (halfSpread + away) * TICK;
    return bid >= TICK ? { ...level(away), price: bid } : { quantity: 0, price: 0, orders: 0 };
  });
  const asks = [0, 1, 2, 3, 4].map((away) => ({ ...level(away), price: price + (halfSpread + away) * TICK }));
  return [...bids, ...asks];
}

function slotOf(lane: Lane, token: number): Slot {
  return [...lane.account.slots].find((slot) => slot.token === token)!;
}

/** An instrument that was last told at the close, and its twin. */
function closed(instrument: Instrument, last_price: number, halfSpread = 1): { lane: Lane; twin: Twin } {
  const lane = newLane(CLOSE_MS);
  lane.claim([instrument]);
  const values = {
    last_price,
    volume: 65_000,
    oi: 1_300_000,
    exchange_time: CLOSE_MS / 1_000,
    close: last_price,
    depth: bookAround(last_price, halfSpread)!,
  };
  lane.account.pipeline.frame(
    frameOf([
      ...(instrument.strike > 0 ? [indexPacket(INDEX, SPOT * 100, CLOSE_MS / 1_000)] : []),
      fullPacket(instrument.instrument_token, values),
    ]),
  );
  const slot = slotOf(lane, instrument.instrument_token);
  return { lane, twin: newTwin(slot, 1) };
}

function place(lane: Lane, twin: Twin, drift: number): void {
  twin.mock.drift = drift;
  placeTwin(twin, lane.account.pricer, NIGHT_MS);
}

function expectSaneBook(twin: Twin): void {
  const { fields } = twin;
  const bid = fields[FIELD.depth + 1]!;
  const ask = fields[ASK_FIELD + 1]!;
  expect(ask).toBeGreaterThan(bid);
  for (let level = 0; level < 10; level += 1) {
    const quantity = fields[FIELD.depth + 3 * level]!;
    const price = fields[FIELD.depth + 3 * level + 1]!;
    expect(price % TICK).toBe(0);
    expect(price).toBeGreaterThanOrEqual(0);
    expect(price === 0).toBe(quantity === 0);
    if (level % 5 === 0 || price === 0) continue;
    const inner = fields[FIELD.depth + 3 * (level - 1) + 1]!;
    expect(level < 5 ? inner - price : price - inner).toBeGreaterThan(0);
  }
}

const anOption = fc.record({
  type: fc.constantFrom('CE' as const, 'PE' as const),
  strike: fc.integer({ min: 440, max: 560 }).map((fifties) => fifties * 50),
  expiry: fc.constantFrom('2026-08-20', '2026-08-25', '2026-09-29'),
  sigma: fc.double({ min: 0.08, max: 0.6, noNaN: true }),
  drift: fc.double({ min: -0.005, max: 0.005, noNaN: true }),
});

describe("an option's twin", () => {
  it('stays on its ticks with a sane book at the last volatility, whatever its underlying does', () => {
    let judged = 0;
    fc.assert(
      fc.property(anOption, ({ type, strike, expiry, sigma, drift }) => {
        const years = (istMs(expiry, '15:40') - CLOSE_MS) / (365 * 86_400_000);
        const worth = optionPrice(type, SPOT, strike, years, sigma, 0.1, 0);
        const last = Math.max(TICK, Math.round((worth * 100) / TICK) * TICK);
        const { lane, twin } = closed(optionRow(OPTION_TOKEN, { expiry, strike, type }), last);
        const real = twin.mock.real;
        place(lane, twin, drift);
        expect(twin.fields[FIELD.last_price]! % TICK).toBe(0);
        expect(twin.fields[FIELD.last_price]!).toBeGreaterThanOrEqual(TICK);
        expectSaneBook(twin);
        const untouched = [FIELD.volume, FIELD.oi, FIELD.open, FIELD.high, FIELD.low, FIELD.close];
        for (const field of untouched) expect(twin.fields[field]).toBe(real.fields[field]);
        // Deep out of the money a tick is worth volatility points: there rounding is all there is.
        const vegaPaise = real.option!.greeks[GREEK.vega]! * 100;
        if (real.option!.status === 'ok' && vegaPaise > 4 * TICK && last > 20 * TICK) {
          judged += 1;
          expect(twin.option!.status).toBe('ok');
          const points = Math.abs(twin.option!.greeks[GREEK.iv]! - real.option!.greeks[GREEK.iv]!) * 100;
          // Half a tick of rounding, and what a 0.5 % move changes in vega.
          expect(points).toBeLessThan((0.75 * TICK) / vegaPaise);
        }
        lane.account.close();
      }),
      { seed: 5, numRuns: 300 },
    );
    expect(judged).toBeGreaterThan(50);
  });

  it('stands exactly at the last real values while nothing has drifted, IV and Greeks included', () => {
    const row = optionRow(OPTION_TOKEN, { expiry: '2026-08-20', strike: 25_100, type: 'CE' });
    const { lane, twin } = closed(row, 9_655);
    const { real } = twin.mock;
    place(lane, twin, 0);
    const rest = (slot: Slot) => slot.fields.filter((_, index) => index !== FIELD.exchange_time);
    expect(rest(twin)).toEqual(rest(real));
    expect(real.option!.status).toBe('ok');
    for (const [index, value] of real.option!.greeks.slice(0, 6).entries()) {
      expect(Math.abs(twin.option!.greeks[index]! / value - 1)).toBeLessThan(1e-12);
    }
    expect(twin.fields[FIELD.exchange_time]).toBe(0);
    expect(twin.receivedMs).toBe(NIGHT_MS);
    lane.account.close();
  });

  it('comes back to the same prices however often it has moved: nothing adds up', () => {
    const row = optionRow(OPTION_TOKEN, { expiry: '2026-08-20', strike: 24_900, type: 'PE' });
    const { lane, twin } = closed(row, 10_410);
    place(lane, twin, 0.003);
    const there = [...twin.fields];
    for (let turn = 0; turn < 5_000; turn += 1) place(lane, twin, Math.sin(turn) * 0.005);
    place(lane, twin, 0.003);
    expect([...twin.fields]).toEqual(there);
    place(lane, twin, 0);
    expect(twin.fields[FIELD.last_price]).toBe(10_410);
    lane.account.close();
  });

  it('is priced although its only packet came before that of its underlying, as after a start at night', () => {
    const row = optionRow(OPTION_TOKEN, { expiry: '2026-08-20', strike: 25_100, type: 'CE' });
    const lane = newLane(NIGHT_MS);
    lane.claim([row]);
    const exchange_time = CLOSE_MS / 1_000;
    const values = { last_price: 9_655, exchange_time, depth: bookAround(9_655, 1)! };
    lane.account.pipeline.frame(frameOf([fullPacket(OPTION_TOKEN, values)]));
    const twin = newTwin(slotOf(lane, OPTION_TOKEN), 1);
    place(lane, twin, 0);
    expect(twin.option).toMatchObject({ status: 'none', reason: 'no_underlying' });
    lane.account.pipeline.frame(frameOf([indexPacket(INDEX, SPOT * 100, exchange_time)]));
    place(lane, twin, 0.001);
    const told = closed(row, 9_655);
    place(told.lane, told.twin, 0.001);
    expect(twin.option!.status).toBe('ok');
    expect(twin.option!.greeks[GREEK.iv]).toBeCloseTo(told.twin.option!.greeks[GREEK.iv]!, 12);
    expect(twin.fields[FIELD.last_price]).toBe(told.twin.fields[FIELD.last_price]);
    expect(slotOf(lane, OPTION_TOKEN).option!.status).toBe('none');
    for (const each of [lane, told.lane]) each.account.close();
  });

  it('leaves the real slot as it was: values, baselines and the start of the next solution', () => {
    const row = optionRow(OPTION_TOKEN, { expiry: '2026-08-20', strike: 24_900, type: 'PE' });
    const { lane, twin } = closed(row, 10_410);
    const { real } = twin.mock;
    const state = () => [[...real.fields], [...real.option!.greeks], { ...real.option!.terms }];
    const before = structuredClone([...state(), real.option!.lastIv, real.option!.lastGoodMs]);
    for (let turn = 0; turn < 100; turn += 1) place(lane, twin, (turn % 11) / 2_000 - 0.0025);
    expect([...state(), real.option!.lastIv, real.option!.lastGoodMs]).toEqual(before);
    lane.account.close();
  });

  it('moves the right way, and a worthless one does not fall below a tick', () => {
    const call = closed(
      optionRow(OPTION_TOKEN, { expiry: '2026-08-25', strike: 25_000, type: 'CE' }),
      20_000,
    );
    const put = closed(optionRow(OPTION_TOKEN, { expiry: '2026-08-25', strike: 25_000, type: 'PE' }), 14_000);
    const lost = closed(
      optionRow(OPTION_TOKEN, { expiry: '2026-08-20', strike: 30_000, type: 'CE' }),
      TICK,
      1,
    );
    for (const { lane, twin } of [call, put, lost]) place(lane, twin, -0.005);
    expect(call.twin.fields[FIELD.last_price]!).toBeLessThan(20_000 - 4_000);
    expect(put.twin.fields[FIELD.last_price]!).toBeGreaterThan(14_000 + 4_000);
    expect(lost.twin.fields[FIELD.last_price]).toBe(TICK);
    // A bid of a worthless option: none, as the exchange has it.
    expect(lost.twin.fields[FIELD.depth + 1]).toBe(0);
    for (const { lane } of [call, put, lost]) lane.account.close();
  });

  it('deep in the money, without a volatility, moves as its intrinsic value does', () => {
    const row = optionRow(OPTION_TOKEN, { expiry: '2026-08-20', strike: 20_000, type: 'CE' });
    // Below its intrinsic value: no volatility explains that price.
    const { lane, twin } = closed(row, 499_000);
    expect(twin.mock.real.option!.status).toBe('none');
    place(lane, twin, 0.004);
    expect(twin.fields[FIELD.last_price]).toBe(499_000 + SPOT * 100 * 0.004);
    // What no volatility explains is not explained by moving it.
    for (const drift of [-0.004, 0.001]) {
      place(lane, twin, drift);
      expect(twin.option).toMatchObject({ status: 'none', reason: 'below_intrinsic' });
    }
    lane.account.close();
  });

  it('of a share, whose spot nobody knows, moves in proportion', () => {
    const row = optionRow(OPTION_TOKEN, { expiry: '2026-08-25', strike: 1_500, type: 'PE', name: 'INFY' });
    const lane = newLane(CLOSE_MS);
    lane.claim([row]);
    const values = { last_price: 4_000, exchange_time: CLOSE_MS / 1_000, depth: bookAround(4_000, 2)! };
    lane.account.pipeline.frame(frameOf([fullPacket(OPTION_TOKEN, values)]));
    const twin = newTwin(slotOf(lane, OPTION_TOKEN), 1);
    place(lane, twin, 0.005);
    expect(twin.fields[FIELD.last_price]).toBe(3_980);
    lane.account.close();
  });
});

describe('the twin of anything else', () => {
  it('moves by its drift on its own ticks, in any mode', () => {
    const tick_size = 0.1;
    const token = (77 << 8) | 1;
    const row = instrumentRow({ instrument_token: token, tradingsymbol: 'INFY', tick_size });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.double({ min: -0.05, max: 0.05, noNaN: true }),
        (ticks, drift) => {
          const last = ticks * 10;
          const lane = newLane(CLOSE_MS);
          lane.claim([row], 'ltp');
          lane.account.pipeline.frame(frameOf([ltpPacket(token, last)]));
          const twin = newTwin(slotOf(lane, token), 1);
          place(lane, twin, drift);
          const price = twin.fields[FIELD.last_price]!;
          expect(price % 10).toBe(0);
          expect(price).toBeGreaterThanOrEqual(10);
          expect(Math.abs(price - last * (1 + drift))).toBeLessThanOrEqual(last === 10 ? 10 : 5 + 1e-6);
          lane.account.close();
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });
});
