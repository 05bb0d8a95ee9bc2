import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Quote } from '#simulator/contracts.ts';
import { EMPTY_DEPTH } from '#simulator/engine/book.ts';
import { roundStepMs, Ticker } from '#simulator/engine/ticker.ts';

const INSTRUMENT = {
  instrument_token: 1,
  exchange_token: 0,
  tradingsymbol: 'A',
  name: 'A',
  last_price: 0,
  expiry: '',
  strike: 0,
  tick_size: 1,
  lot_size: 1,
  instrument_type: 'EQ',
  segment: 'NSE',
  exchange: 'NSE',
} as const;

function quoteOf(last_price: number, exchangeMs: number): Quote {
  return {
    instrument: INSTRUMENT,
    last_price,
    last_quantity: 0,
    average_price: 0,
    volume: 0,
    buy_quantity: 0,
    sell_quantity: 0,
    ohlc: { open: 0, high: 0, low: 0, close: 0 },
    lastTradeMs: exchangeMs,
    exchangeMs,
    oi: 0,
    oi_day_high: 0,
    oi_day_low: 0,
    lower_circuit_limit: 0,
    upper_circuit_limit: 0,
    depth: EMPTY_DEPTH,
  };
}

/** A ticker whose prices are the second of the time asked for, but `steady` ones never change. */
const newTicker = (steady = new Set<number>()) =>
  new Ticker((token, atMs) => quoteOf(steady.has(token) ? 1 : Math.floor(atMs / 1000), atMs), 1000);

describe('the ticker', () => {
  it('takes steps that divide a minute and a round of at most its length', () => {
    expect([0, 0.5, 1, 3, 10, 59, 60, 100, 5_000].map((speed) => roundStepMs(speed, 1000) / 1000)).toEqual([
      1, 1, 1, 2, 10, 30, 60, 60, 60,
    ]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 10_000, noNaN: true }),
        fc.integer({ min: 50, max: 5_000 }),
        (speed, ms) => {
          const step = roundStepMs(speed, ms);
          expect(60_000 % step).toBe(0);
          expect(step <= 1000 || step <= speed * ms).toBe(true);
        },
      ),
      { seed: 1 },
    );
  });

  it('tells each listener once a change, spread over the round, and nobody without one', () => {
    const ticker = newTicker(new Set([99 << 8]));
    const seen: number[] = [];
    for (let id = 0; id < 100; id++) ticker.watch(id << 8, 0, () => seen.push(id));
    for (let wallMs = 0; wallMs < 1000; wallMs += 25) {
      ticker.pass(5_000 + wallMs, wallMs, 1);
      if (wallMs === 0) expect(seen.length).toBe(5);
      if (wallMs === 400) expect(seen.length).toBe(55);
    }
    expect(seen).toEqual(Array.from({ length: 99 }, (_, id) => id));
  });

  it('visits indices before what is priced from them', () => {
    const ticker = newTicker();
    const seen: number[] = [];
    const [option, index, share] = [(7 << 8) | 2, (1001 << 8) | 9, (5 << 8) | 1];
    for (const token of [option, share, index]) ticker.watch(token, 0, () => seen.push(token));
    ticker.pass(5_000, 0, 1);
    ticker.pass(5_900, 900, 1);
    expect(seen).toEqual([index, option, share]);
  });

  it('ends a late round at its own time before it begins the next', () => {
    const ticker = newTicker();
    const times: number[] = [];
    for (let token = 0; token < 3; token++) ticker.watch(token, 0, (quote) => times.push(quote.exchangeMs));
    ticker.pass(5_000, 0, 1);
    ticker.pass(7_100, 2_100, 1);
    ticker.pass(7_900, 2_900, 1);
    expect(times).toEqual([5_000, 5_000, 5_000, 7_000, 7_000, 7_000]);
  });

  it('never goes back behind what a listener knew when it began, but follows a clock that is set back', () => {
    const ticker = newTicker();
    const times: number[] = [];
    ticker.watch(1, 5_900, (quote) => times.push(quote.exchangeMs));
    ticker.pass(5_950, 0, 1);
    ticker.pass(6_000, 50, 1);
    ticker.pass(2_000, 100, 1);
    expect(times).toEqual([6_000, 2_000]);
  });

  it('forgets an instrument when its last listener stops, at once and for good', () => {
    const ticker = newTicker();
    const seen: string[] = [];
    const stops = ['a', 'b'].map((name) => ticker.watch(1, 0, () => seen.push(name)));
    ticker.pass(1_000, 0, 1);
    stops[0]!();
    ticker.pass(2_000, 1_000, 1);
    stops[1]!();
    stops[1]!();
    ticker.pass(3_000, 2_000, 1);
    expect(seen).toEqual(['a', 'b', 'b']);
    expect(ticker.watchedCount).toBe(0);
  });
});
