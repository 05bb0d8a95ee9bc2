import { expiryMs } from '#shared/market/calendar.ts';
import { optionPrice } from '#shared/market/greeks.ts';
import type { Instrument } from '#shared/market/instrument.ts';

/**
 * The published snapshot by an independent and slow way: the packet read with Buffer's own methods, the volatility by
 * bisection on the textbook price, Greeks as differences of prices. Only what an option in full mode needs.
 */
export interface SlowOption {
  readonly ltp: number;
  readonly volume: number;
  readonly oi: number;
  readonly bid: number;
  readonly ask: number;
  readonly ohlc: Readonly<Record<'open' | 'high' | 'low' | 'close', number>>;
  readonly depth: Readonly<
    Record<'buy' | 'sell', readonly { price: number; quantity: number; orders: number }[]>
  >;
  readonly exchange_ts: number | null;
  /** Null where the price has no volatility. */
  readonly iv: number | null;
  readonly greeks: Readonly<Record<'delta' | 'gamma' | 'theta' | 'vega' | 'rho', number>> | undefined;
}

const RATE = 0.1;

export function slowOption(
  body: Buffer,
  instrument: Instrument,
  spot: number,
  receivedMs: number,
): SlowOption {
  const price = (at: number) => body.readUInt32BE(at) / 100;
  const level = (index: number) => {
    const at = 64 + 12 * index;
    return { price: price(at + 4), quantity: body.readUInt32BE(at), orders: body.readUInt16BE(at + 8) };
  };
  const buy = [0, 1, 2, 3, 4].map(level);
  const sell = [5, 6, 7, 8, 9].map(level);
  const seconds = body.readUInt32BE(60);
  const atMs = seconds === 0 ? receivedMs : seconds * 1_000;
  const years = (expiryMs(instrument.expiry) - atMs) / (365 * 24 * 3_600_000);
  const market = marketPrice(buy[0]!.price, sell[0]!.price, price(4));
  const iv = slowVolatility(instrument, spot, years, market);
  return {
    ltp: price(4),
    volume: body.readUInt32BE(16),
    oi: body.readUInt32BE(48),
    bid: buy[0]!.price,
    ask: sell[0]!.price,
    ohlc: { open: price(28), high: price(32), low: price(36), close: price(40) },
    depth: { buy, sell },
    exchange_ts: seconds === 0 ? null : seconds * 1_000,
    iv,
    greeks: iv === null ? undefined : slowGreeks(instrument, spot, years, iv),
  };
}

/** The middle of a book that is neither empty, crossed nor absurdly wide; else the last price. */
function marketPrice(bid: number, ask: number, ltp: number): number {
  const middle = (bid + ask) / 2;
  const isSane = bid > 0 && ask > bid && ask - bid <= Math.max(0.5, 0.25 * middle);
  return isSane ? middle : ltp;
}

function slowVolatility(instrument: Instrument, spot: number, years: number, price: number): number | null {
  if (years <= 0 || price <= 0 || spot <= 0) return null;
  const at = (sigma: number) => worthOf(instrument, spot, years, sigma, RATE);
  let low = 0;
  let high = 500;
  if (price <= at(1e-12) + 1e-9 || price >= at(high)) return null;
  for (let step = 0; step < 200; step += 1) {
    const middle = (low + high) / 2;
    if (at(middle) < price) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function slowGreeks(
  instrument: Instrument,
  spot: number,
  years: number,
  sigma: number,
): NonNullable<SlowOption['greeks']> {
  const at = (s: number, t: number, v: number, r: number) => worthOf(instrument, s, t, v, r);
  // The spot step grows with the distance that the spot typically moves: smooth enough for a second difference.
  const ds = spot * sigma * Math.sqrt(years) * 0.01;
  const [dt, dv, dr] = [years * 1e-4, sigma * 1e-4, 1e-5];
  const here = at(spot, years, sigma, RATE);
  const up = at(spot + ds, years, sigma, RATE);
  const down = at(spot - ds, years, sigma, RATE);
  const slope = (a: number, b: number, step: number) => (a - b) / (2 * step);
  return {
    delta: slope(up, down, ds),
    gamma: (up - 2 * here + down) / (ds * ds),
    theta: -slope(at(spot, years + dt, sigma, RATE), at(spot, years - dt, sigma, RATE), dt) / 365,
    vega: slope(at(spot, years, sigma + dv, RATE), at(spot, years, sigma - dv, RATE), dv) / 100,
    rho: slope(at(spot, years, sigma, RATE + dr), at(spot, years, sigma, RATE - dr), dr) / 100,
  };
}

function worthOf(instrument: Instrument, spot: number, years: number, sigma: number, rate: number): number {
  return optionPrice(
    instrument.instrument_type as 'CE' | 'PE',
    spot,
    instrument.strike,
    years,
    sigma,
    rate,
    0,
  );
}
