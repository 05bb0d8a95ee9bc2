import type { Instrument } from '#shared/market/instrument.ts';
import { hash } from '#shared/random.ts';
import type { Market, Quote } from '../contracts.ts';
import { toRupees, toUnits } from './money.ts';

/** Shares in the demat account. Price in units per piece. */
export interface Holding {
  readonly instrument: Instrument;
  readonly isin: string;
  /** Settled pieces, less what was sold today. */
  quantity: number;
  /** Bought yesterday, not yet delivered. */
  t1Quantity: number;
  usedQuantity: number;
  authorisedQuantity: number;
  averagePrice: number;
}

/** What a new account holds, where the dump has it: symbol, pieces, cost as a share of yesterday's close. */
const STARTING: readonly (readonly [string, number, number])[] = [
  ['RELIANCE', 50, 0.9],
  ['INFY', 100, 1.05],
  ['HDFCBANK', 80, 0.95],
  ['SBIN', 200, 0.85],
];

export function startingHoldings(market: Market): Holding[] {
  const holdings: Holding[] = [];
  for (const [symbol, quantity, costShare] of STARTING) {
    const instrument = market.bySymbol('NSE', symbol);
    const close = instrument && market.quote(instrument.instrument_token)?.ohlc.close;
    if (instrument === undefined || close === undefined) continue;
    holdings.push(newHolding(instrument, quantity, Math.round(toUnits(close) * costShare)));
  }
  return holdings;
}

export function newHolding(instrument: Instrument, quantity: number, averagePrice: number): Holding {
  const digits = String(hash(instrument.instrument_token, 7) % 1_000_000).padStart(6, '0');
  return {
    instrument,
    isin: `INE${digits.slice(0, 3)}A0${digits.slice(3)}8`,
    quantity,
    t1Quantity: 0,
    usedQuantity: 0,
    authorisedQuantity: 0,
    averagePrice,
  };
}

/** A holding as the broker shows it (holdings.json in zerodha/kiteconnect-mocks). */
export function holdingRow(h: Holding, quote: Quote | undefined, authorisedDate: string) {
  const last = toUnits(quote?.last_price ?? 0);
  const close = toUnits(quote?.ohlc.close ?? 0);
  const held = h.quantity + h.t1Quantity;
  return {
    tradingsymbol: h.instrument.tradingsymbol,
    exchange: h.instrument.exchange,
    instrument_token: h.instrument.instrument_token,
    isin: h.isin,
    product: 'CNC',
    price: 0,
    quantity: h.quantity,
    used_quantity: h.usedQuantity,
    t1_quantity: h.t1Quantity,
    realised_quantity: h.quantity,
    authorised_quantity: h.authorisedQuantity,
    authorised_date: authorisedDate,
    opening_quantity: held + h.usedQuantity,
    collateral_quantity: 0,
    collateral_type: '',
    discrepancy: false,
    average_price: toRupees(h.averagePrice),
    last_price: toRupees(last),
    close_price: toRupees(close),
    pnl: toRupees(held * (last - h.averagePrice)),
    mtf: { quantity: 0, used_quantity: 0, average_price: 0, value: 0, initial_margin: 0 },
    day_change: toRupees(last - close),
    day_change_percentage: close === 0 ? 0 : ((last - close) / close) * 100,
  };
}
