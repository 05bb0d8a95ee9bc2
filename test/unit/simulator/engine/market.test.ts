import { afterEach, describe, expect, it } from 'vitest';
import { expiryMs, istDateTime, istMs } from '#shared/market/calendar.ts';
import { optionPrice } from '#shared/market/greeks.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Quote } from '#simulator/contracts.ts';
import { createMarket, type MarketOptions, type SimulatedMarket } from '#simulator/engine/market.ts';

const YEAR_MS = 365 * 86_400_000;
const NIFTY_50 = 256_265;
const open: SimulatedMarket[] = [];

afterEach(() => {
  for (const market of open.splice(0)) market.close();
});

/** A market that stands still at a moment of 18 Aug 2026 (or another day) in India. */
async function marketAt(
  time: string,
  options: MarketOptions = {},
  day = '2026-08-18',
): Promise<SimulatedMarket> {
  const market = await createMarket({ nowMs: istMs(day, time), speed: 0, ...options });
  open.push(market);
  return market;
}

const setTo = (market: SimulatedMarket, day: string, time: string) =>
  market.clock.set({ nowMs: istMs(day, time) });

/** Contracts of one expiry within `width` of the money, nearest first. */
function nearMoney(market: SimulatedMarket, name: string, expiry: string, width: number): Instrument[] {
  const index = name === 'NIFTY' ? NIFTY_50 : 265;
  const spot = market.quote(index)!.last_price;
  return market
    .instruments()
    .filter((i) => i.name === name && i.expiry === expiry && i.strike > 0)
    .filter((i) => Math.abs(i.strike / spot - 1) < width)
    .sort((a, b) => Math.abs(a.strike - spot) - Math.abs(b.strike - spot));
}

function everyQuote(market: SimulatedMarket): Quote[] {
  return market.instruments().map((instrument) => market.quote(instrument.instrument_token)!);
}

/** The volatility at which Black-Scholes gives this price, by bisection. */
function impliedVolatility(quote: Quote, spot: number, atMs: number): number {
  const { instrument_type, strike, expiry } = quote.instrument;
  const years = (expiryMs(expiry) - atMs) / YEAR_MS;
  let low = 0.001;
  let high = 5;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    const type = instrument_type === 'CE' ? 'CE' : 'PE';
    if (optionPrice(type, spot, strike, years, middle, 0.1, 0) < quote.last_price) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

describe('quotes of the built-in market', () => {
  it('keep the order low, open and last, high, and the book around the last price', async () => {
    const market = await marketAt('11:42:37');
    for (const { instrument, last_price, ohlc, depth, average_price, volume } of everyQuote(market)) {
      const where = `${instrument.tradingsymbol} ${last_price} ${JSON.stringify(ohlc)}`;
      expect(last_price, where).toBeGreaterThan(0);
      expect(
        ohlc.low <= Math.min(ohlc.open, last_price) && ohlc.high >= Math.max(ohlc.open, last_price),
        where,
      ).toBe(true);
      if (instrument.segment === 'INDICES') continue;
      expect(depth.sell[0]!.price, where).toBeGreaterThan(last_price);
      expect(depth.buy[0]!.price, where).toBeLessThanOrEqual(last_price);
      if (volume > 0) expect(average_price >= ohlc.low && average_price <= ohlc.high, where).toBe(true);
    }
  });

  it('have prices on the tick, quantities in lots, books in order, and bands that hold the price', async () => {
    const market = await marketAt('13:05:11');
    for (const quote of everyQuote(market)) {
      const { instrument, depth } = quote;
      if (instrument.segment === 'INDICES') continue;
      const steps = quote.last_price / instrument.tick_size;
      expect(Math.abs(steps - Math.round(steps)), instrument.tradingsymbol).toBeLessThan(1e-6);
      for (const units of [
        quote.volume,
        quote.oi,
        quote.last_quantity,
        quote.buy_quantity,
        depth.sell[0]!.quantity,
      ]) {
        expect(units % instrument.lot_size, instrument.tradingsymbol).toBe(0);
      }
      const asks = depth.sell.map((level) => level.price);
      expect(asks).toEqual([...asks].sort((a, b) => a - b));
      const bids = depth.buy.map((level) => level.price).filter((price) => price > 0);
      expect(bids).toEqual([...bids].sort((a, b) => b - a));
      expect(quote.lower_circuit_limit).toBeLessThanOrEqual(quote.last_price);
      expect(quote.upper_circuit_limit).toBeGreaterThanOrEqual(quote.last_price);
      expect(quote.oi >= quote.oi_day_low && quote.oi <= quote.oi_day_high, instrument.tradingsymbol).toBe(
        true,
      );
    }
  });

  it('have a volume that only grows during the day, and starts again the next', async () => {
    const market = await marketAt('09:15:00');
    const [option] = nearMoney(market, 'NIFTY', '2026-08-25', 0.02);
    let last = market.quote(option!.instrument_token)!.volume;
    expect(last).toBe(0);
    for (let minute = 1; minute < 380; minute += 7) {
      market.clock.set({ nowMs: istMs('2026-08-18', '09:15') + minute * 60_000 });
      const { volume } = market.quote(option!.instrument_token)!;
      expect(volume).toBeGreaterThan(last);
      last = volume;
    }
    setTo(market, '2026-08-19', '09:15:05');
    expect(market.quote(option!.instrument_token)!.volume).toBeLessThan(last / 100);
  });

  it('move about once a second and little: a NIFTY of 24,000 makes no jumps', async () => {
    const market = await marketAt('10:30:00');
    let changes = 0;
    let last = market.quote(NIFTY_50)!.last_price;
    for (let second = 1; second <= 600; second++) {
      market.clock.set({ nowMs: istMs('2026-08-18', '10:30') + second * 1000 });
      const { last_price } = market.quote(NIFTY_50)!;
      if (last_price !== last) changes++;
      expect(Math.abs(last_price - last)).toBeLessThan(25);
      last = last_price;
    }
    expect(changes).toBeGreaterThan(400);
  });

  it.each([
    ['NIFTY', '2026-08-25'],
    ['NIFTY', '2026-09-01'],
    ['SENSEX', '2026-08-27'],
  ])('of %s options of %s have one smooth smile that calls and puts share', async (name, expiry) => {
    const market = await marketAt('12:15:20');
    const spot = market.quote(name === 'NIFTY' ? NIFTY_50 : 265)!.last_price;
    const ivs = new Map<number, number[]>();
    for (const instrument of nearMoney(market, name, expiry, 0.03)) {
      const quote = market.quote(instrument.instrument_token)!;
      const iv = impliedVolatility(quote, spot, quote.exchangeMs);
      expect(iv, instrument.tradingsymbol).toBeGreaterThan(0.05);
      expect(iv, instrument.tradingsymbol).toBeLessThan(0.6);
      ivs.set(instrument.strike, [...(ivs.get(instrument.strike) ?? []), iv]);
    }
    expect(ivs.size).toBeGreaterThan(10);
    const strikes = [...ivs.keys()].sort((a, b) => a - b);
    for (const [i, strike] of strikes.entries()) {
      const [call, put] = ivs.get(strike)!;
      expect(Math.abs(call! - put!), `${strike}`).toBeLessThan(0.01);
      if (i > 0) expect(Math.abs(call! - ivs.get(strikes[i - 1]!)![0]!), `${strike}`).toBeLessThan(0.01);
    }
  });

  it('carry futures above the spot by the interest that prices the options', async () => {
    const market = await marketAt('12:15:20');
    const spot = market.quote(NIFTY_50)!.last_price;
    const future = market.quote(market.bySymbol('NFO', 'NIFTY26AUGFUT')!.instrument_token)!;
    const years = (expiryMs('2026-08-25') - future.exchangeMs) / YEAR_MS;
    expect(Math.abs(future.last_price - spot * Math.exp(0.1 * years))).toBeLessThan(1);
  });

  it('are the same for the same seed, and others for another', async () => {
    const [a, b, c] = [
      await marketAt('14:01:03'),
      await marketAt('14:01:03'),
      await marketAt('14:01:03', { seed: 2 }),
    ];
    const tokens = [NIFTY_50, ...nearMoney(a, 'NIFTY', '2026-08-18', 0.01).map((i) => i.instrument_token)];
    const quotes = (market: SimulatedMarket) => tokens.map((token) => market.quote(token));
    a.clock.set({ nowMs: istMs('2026-08-18', '15:00') });
    a.quote(tokens[1]!);
    a.clock.set({ nowMs: istMs('2026-08-18', '14:01:03') });
    expect(quotes(a)).toEqual(quotes(b));
    expect(c.quote(NIFTY_50)).not.toEqual(a.quote(NIFTY_50));
  });

  it('of an unknown token are undefined', async () => {
    const market = await marketAt('14:01:03');
    expect([market.quote(12), market.byToken(12), market.candles(12, 1, 0, 1)]).toEqual([
      undefined,
      undefined,
      [],
    ]);
  });
});

describe('sessions', () => {
  it('follow the calendar: cash until 15:35, derivatives until 15:40, nothing before 09:15', async () => {
    const market = await marketAt('09:14:59');
    const states = (time: string) => {
      setTo(market, '2026-08-18', time);
      return [market.isOpen('NSE'), market.isOpen('BSE'), market.isOpen('NFO'), market.isOpen('BFO')];
    };
    expect(states('09:14:59')).toEqual([false, false, false, false]);
    expect(states('09:15:00')).toEqual([true, true, true, true]);
    expect(states('15:34:59')).toEqual([true, true, true, true]);
    expect(states('15:35:00')).toEqual([false, false, true, true]);
    expect(states('15:40:00')).toEqual([false, false, false, false]);
  });

  it.each(['2026-08-16', '2026-10-02'])('stay shut on %s', async (day) => {
    const market = await marketAt('11:00', {}, day);
    expect(market.isOpen('NFO')).toBe(false);
  });

  it('show the last close out of hours, unchanging, with the exchange time of the close', async () => {
    const market = await marketAt('15:39:59');
    const token = market.bySymbol('NFO', 'NIFTY26AUGFUT')!.instrument_token;
    setTo(market, '2026-08-18', '15:40:00');
    const closing = market.quote(token)!;
    expect(istDateTime(closing.exchangeMs)).toBe('2026-08-18 15:40:00');
    setTo(market, '2026-08-19', '07:00:00');
    expect(market.quote(token)).toEqual(closing);
    setTo(market, '2026-08-19', '09:15:00');
    expect(market.quote(token)!.ohlc.close).toBe(closing.last_price);
  });

  it('show the price that the pre-open found from 09:08 in cash, not in derivatives', async () => {
    const market = await marketAt('09:07:59');
    const share = market.bySymbol('NSE', 'INFY')!.instrument_token;
    const future = market.bySymbol('NFO', 'NIFTY26AUGFUT')!.instrument_token;
    const before = [market.quote(share)!, market.quote(future)!];
    setTo(market, '2026-08-18', '09:08:00');
    const found = market.quote(share)!;
    expect(found.ohlc).toEqual({
      open: found.last_price,
      high: found.last_price,
      low: found.last_price,
      close: before[0]!.last_price,
    });
    expect(istDateTime(found.exchangeMs)).toBe('2026-08-18 09:08:00');
    expect(market.quote(future)).toEqual(before[1]);
    setTo(market, '2026-08-18', '09:15:00');
    expect(market.quote(share)!.ohlc.open).toBe(found.last_price);
  });

  it('can be held open at night and on a Sunday: prices move', async () => {
    const market = await marketAt('03:10:00', { market: 'open' }, '2026-08-16');
    expect(market.isOpen('NFO') && market.isOpen('NSE')).toBe(true);
    const [option] = nearMoney(market, 'NIFTY', '2026-08-25', 0.01);
    const before = market.quote(option!.instrument_token)!;
    setTo(market, '2026-08-16', '03:14:07');
    const after = market.quote(option!.instrument_token)!;
    expect(after.volume).toBeGreaterThan(before.volume);
    expect(after.last_price).not.toBe(before.last_price);
    expect(istDateTime(after.exchangeMs)).toBe('2026-08-16 03:14:07');
  });

  it('can be held closed within hours: prices stand where they were', async () => {
    const market = await marketAt('11:00:03');
    market.clock.set({ market: 'closed' });
    const before = market.quote(NIFTY_50)!;
    setTo(market, '2026-08-18', '12:00:00');
    expect(market.isOpen('NFO')).toBe(false);
    expect(market.quote(NIFTY_50)).toEqual(before);
    market.clock.set({ market: 'auto' });
    expect(istDateTime(market.quote(NIFTY_50)!.exchangeMs)).toBe('2026-08-18 12:00:00');
  });

  it('end for a contract at the close of its expiry day; the next day it is unknown', async () => {
    const market = await marketAt('15:39:00');
    const [option] = nearMoney(market, 'NIFTY', '2026-08-18', 0.01);
    setTo(market, '2026-08-18', '18:00:00');
    const spot = market.quote(NIFTY_50)!.last_price;
    const { last_price } = market.quote(option!.instrument_token)!;
    const intrinsic = option!.instrument_type === 'CE' ? spot - option!.strike : option!.strike - spot;
    expect(last_price).toBeCloseTo(Math.max(0.05, intrinsic), 6);
    setTo(market, '2026-08-19', '07:59:00');
    expect(market.quote(option!.instrument_token)).toBeUndefined();
  });
});

describe('the change of the day', () => {
  it('brings a new dump at 08:00, tells its listeners, and tokens name other contracts', async () => {
    const market = await marketAt('15:00:00');
    const days: string[] = [];
    const stop = market.onNewDump((day) => days.push(day));
    const [option] = nearMoney(market, 'NIFTY', '2026-08-18', 0.005);
    setTo(market, '2026-08-19', '07:59:59');
    market.pass();
    expect([market.dumpDay, days]).toEqual(['2026-08-18', []]);
    setTo(market, '2026-08-19', '08:00:00');
    market.pass();
    expect([market.dumpDay, days]).toEqual(['2026-08-19', ['2026-08-19']]);
    const now = market.byToken(option!.instrument_token)!;
    expect(now.tradingsymbol).not.toBe(option!.tradingsymbol);
    expect(market.bySymbol('NFO', option!.tradingsymbol)).toBeUndefined();
    expect(market.quote(now.instrument_token)!.instrument).toBe(now);
    stop();
    setTo(market, '2026-08-20', '08:00:00');
    market.pass();
    expect(days.length).toBe(1);
  });

  it('can come at another time', async () => {
    const market = await marketAt('08:29:59', { dumpTime: '08:30' });
    expect(market.dumpDay).toBe('2026-08-17');
  });

  it.each([{ dumpTime: '8am' }, { dumpTime: '24:00' }, { roundMs: 0 }, { roundMs: Number.NaN }])(
    'and a round are refused as %o',
    async (options) => {
      await expect(createMarket(options)).rejects.toThrow(/must be/);
    },
  );
});

describe('candles', () => {
  const day = (market: SimulatedMarket, token: number, minutes: number) =>
    market.candles(token, minutes, istMs('2026-08-18', '00:00'), istMs('2026-08-18', '23:59'));

  it.each(['NIFTY 50', 'INFY', 'option', 'far option'])(
    "of %s add up to the quote's open, high, low and volume",
    async (which) => {
      const market = await marketAt('13:37:41');
      const options = nearMoney(market, 'NIFTY', '2026-08-25', 1);
      const instrument =
        which === 'option'
          ? options[0]
          : which === 'far option'
            ? options.at(-1)
            : market.bySymbol('NSE', which);
      const token = instrument!.instrument_token;
      const quote = market.quote(token)!;
      for (const minutes of [1, 3, 5, 15, 60, 1440]) {
        const candles = day(market, token, minutes);
        expect(candles[0]!.open).toBe(quote.ohlc.open);
        expect(Math.max(...candles.map((candle) => candle.high))).toBe(quote.ohlc.high);
        expect(Math.min(...candles.map((candle) => candle.low))).toBe(quote.ohlc.low);
        expect(candles.at(-1)!.close).toBe(quote.last_price);
        expect(candles.reduce((sum, candle) => sum + candle.volume, 0)).toBe(quote.volume);
        expect(candles.at(-1)!.oi).toBe(quote.oi);
      }
    },
  );

  it('start at the open and are as many as have begun', async () => {
    const market = await marketAt('10:00:30');
    const starts = (minutes: number) =>
      day(market, NIFTY_50, minutes).map((c) => istDateTime(c.startMs).slice(11, 16));
    expect(starts(1).length).toBe(46);
    expect(starts(15)).toEqual(['09:15', '09:30', '09:45', '10:00']);
    expect(starts(60)).toEqual(['09:15']);
    expect(starts(1440)).toEqual(['00:00']);
  });

  it('skip weekends and holidays, and weeks begin on Monday', async () => {
    const market = await marketAt('16:00:00', {}, '2026-09-18');
    const days = market.candles(NIFTY_50, 1440, istMs('2026-09-10', '00:00'), istMs('2026-09-18', '23:59'));
    expect(days.map((candle) => istDateTime(candle.startMs).slice(0, 10))).toEqual([
      '2026-09-10',
      '2026-09-11',
      '2026-09-15',
      '2026-09-16',
      '2026-09-17',
      '2026-09-18',
    ]);
    const weeks = market.candles(
      NIFTY_50,
      7 * 1440,
      istMs('2026-09-07', '00:00'),
      istMs('2026-09-18', '23:59'),
    );
    expect(weeks.map((candle) => istDateTime(candle.startMs).slice(0, 10))).toEqual([
      '2026-09-07',
      '2026-09-14',
    ]);
  });

  it("of yesterday end at today's previous close, and are what they were when they happened", async () => {
    const then = await marketAt('15:40:00', {}, '2026-08-17');
    const market = await marketAt('11:00:00');
    const infy = market.bySymbol('NSE', 'INFY')!.instrument_token;
    const span = [istMs('2026-08-17', '00:00'), istMs('2026-08-17', '23:59')] as const;
    expect(market.candles(infy, 5, ...span)).toEqual(then.candles(infy, 5, ...span));
    expect(market.candles(infy, 5, ...span).at(-1)!.close).toBe(market.quote(infy)!.ohlc.close);
  });

  it('of years of days hold together', async () => {
    const market = await marketAt('11:00:00');
    const candles = market.candles(
      NIFTY_50,
      1440,
      istMs('2021-03-01', '00:00'),
      istMs('2026-08-18', '23:59'),
    );
    expect(candles.length).toBeGreaterThan(1_300);
    for (const { open: first, high, low, close } of candles) {
      expect(low <= Math.min(first, close) && high >= Math.max(first, close)).toBe(true);
    }
  });

  it('do not know the future or days before a contract was listed', async () => {
    const market = await marketAt('11:00:00');
    const [option] = nearMoney(market, 'NIFTY', '2026-08-25', 0.01);
    const all = market.candles(
      option!.instrument_token,
      1440,
      istMs('2020-01-01', '00:00'),
      istMs('2030-01-01', '00:00'),
    );
    expect(istDateTime(all.at(-1)!.startMs).slice(0, 10)).toBe('2026-08-18');
    expect(all[0]!.startMs).toBeGreaterThan(istMs('2026-05-01', '00:00'));
  });
});
