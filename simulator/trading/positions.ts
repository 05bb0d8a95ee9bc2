import type { Instrument } from '#shared/market/instrument.ts';
import type { Quote } from '../contracts.ts';
import { toRupees, toUnits } from './money.ts';
import type { Side } from './order.ts';

/** What a user holds of one instrument under one product. Values are money units (price x quantity). */
export interface Position {
  readonly instrument: Instrument;
  readonly product: string;
  /** Carried over from yesterday, negative when short, at its original average (units per piece). */
  overnightQuantity: number;
  overnightPrice: number;
  /** What carried futures were settled at last evening (units per piece); 0 when nothing was carried. */
  settledPrice: number;
  dayBuyQuantity: number;
  dayBuyValue: number;
  daySellQuantity: number;
  daySellValue: number;
}

export const netQuantity = (p: Position) => p.overnightQuantity + p.dayBuyQuantity - p.daySellQuantity;

export class PositionBook {
  readonly #positions = new Map<string, Position>();

  list(): Position[] {
    return [...this.#positions.values()];
  }

  get(instrumentToken: number, product: string): Position | undefined {
    return this.#positions.get(`${instrumentToken}:${product}`);
  }

  apply(instrument: Instrument, product: string, side: Side, quantity: number, price: number): void {
    const position = this.#at(instrument, product);
    if (side === 'BUY') {
      position.dayBuyQuantity += quantity;
      position.dayBuyValue += quantity * price;
    } else {
      position.daySellQuantity += quantity;
      position.daySellValue += quantity * price;
    }
  }

  /** Moves quantity to another product at what it cost; nothing is won or lost by it. */
  convert(from: Position, newProduct: string, quantity: number, overnight: boolean): void {
    const to = this.#at(from.instrument, newProduct);
    if (overnight) moveOvernight(from, to, quantity * Math.sign(from.overnightQuantity));
    else if (netQuantity(from) > 0) moveDay(from, to, quantity, 'dayBuyQuantity', 'dayBuyValue');
    else moveDay(from, to, quantity, 'daySellQuantity', 'daySellValue');
  }

  /** Finds each instrument again in a new day's dump: tokens are recycled, symbols stay. */
  renew(find: (old: Instrument) => Instrument | undefined): void {
    const positions = this.list();
    this.#positions.clear();
    for (const p of positions) this.set({ ...p, instrument: find(p.instrument) ?? p.instrument });
  }

  set(position: Position): void {
    this.#positions.set(`${position.instrument.instrument_token}:${position.product}`, position);
  }

  remove(position: Position): void {
    this.#positions.delete(`${position.instrument.instrument_token}:${position.product}`);
  }

  #at(instrument: Instrument, product: string): Position {
    const existing = this.get(instrument.instrument_token, product);
    if (existing !== undefined) return existing;
    const position = emptyPosition(instrument, product);
    this.set(position);
    return position;
  }
}

function emptyPosition(instrument: Instrument, product: string): Position {
  return {
    instrument,
    product,
    overnightQuantity: 0,
    overnightPrice: 0,
    settledPrice: 0,
    dayBuyQuantity: 0,
    dayBuyValue: 0,
    daySellQuantity: 0,
    daySellValue: 0,
  };
}

function moveOvernight(from: Position, to: Position, signed: number): void {
  const cost = to.overnightQuantity * to.overnightPrice + signed * from.overnightPrice;
  to.overnightQuantity += signed;
  to.overnightPrice = to.overnightQuantity === 0 ? 0 : Math.round(cost / to.overnightQuantity);
  to.settledPrice = from.settledPrice;
  from.overnightQuantity -= signed;
}

type DayQuantity = 'dayBuyQuantity' | 'daySellQuantity';
type DayValue = 'dayBuyValue' | 'daySellValue';

/** The share of the value goes along, what rounding leaves stays: the sum of both is unchanged to the last unit. */
function moveDay(from: Position, to: Position, quantity: number, count: DayQuantity, value: DayValue): void {
  const moved = Math.round((from[value] * quantity) / from[count]);
  from[count] -= quantity;
  from[value] -= moved;
  to[count] += quantity;
  to[value] += moved;
}

interface Sides {
  readonly buyQuantity: number;
  readonly buyValue: number;
  readonly sellQuantity: number;
  readonly sellValue: number;
}

/** The day's trades and, at `carryPrice`, what was carried in. */
function sides(p: Position, carryPrice: number): Sides {
  const carried = Math.abs(p.overnightQuantity);
  const long = p.overnightQuantity > 0;
  return {
    buyQuantity: p.dayBuyQuantity + (long ? carried : 0),
    buyValue: p.dayBuyValue + (long ? carried * carryPrice : 0),
    sellQuantity: p.daySellQuantity + (long ? 0 : carried),
    sellValue: p.daySellValue + (long ? 0 : carried * carryPrice),
  };
}

/** Profit of a position in units: what was received less what was paid, and what is left at the last price. */
export function profit(p: Position, lastPrice: number, carryPrice: number): number {
  const s = sides(p, carryPrice);
  return s.sellValue - s.buyValue + netQuantity(p) * lastPrice;
}

/** The part of the profit that closed quantity made (average cost). */
export function realised(p: Position, carryPrice: number): number {
  const s = sides(p, carryPrice);
  const closed = Math.min(s.buyQuantity, s.sellQuantity);
  if (closed === 0) return 0;
  if (s.buyQuantity === s.sellQuantity) return s.sellValue - s.buyValue;
  return Math.round((s.sellValue * closed) / s.sellQuantity - (s.buyValue * closed) / s.buyQuantity);
}

/** The average price of what is open, units per piece. */
export function openPrice(p: Position): number {
  const s = sides(p, p.overnightPrice);
  const net = netQuantity(p);
  if (net === 0) return 0;
  return net > 0 ? s.buyValue / s.buyQuantity : s.sellValue / s.sellQuantity;
}

const ratio = (value: number, quantity: number) => (quantity === 0 ? 0 : toRupees(value / quantity));

/** A row of `net`: everything that is held, or of `day`: only what was traded today. */
export function positionRow(p: Position, quote: Quote | undefined, only: 'net' | 'day') {
  const shown = only === 'net' ? p : { ...p, overnightQuantity: 0 };
  const last = toUnits(quote?.last_price ?? 0);
  const close = toUnits(quote?.ohlc.close ?? 0);
  const s = sides(shown, p.overnightPrice);
  const m = sides(shown, close);
  const net = netQuantity(shown);
  const total = profit(shown, last, p.overnightPrice);
  const done = realised(shown, p.overnightPrice);
  return {
    tradingsymbol: p.instrument.tradingsymbol,
    exchange: p.instrument.exchange,
    instrument_token: p.instrument.instrument_token,
    product: p.product,
    quantity: net,
    overnight_quantity: shown.overnightQuantity,
    multiplier: 1,
    average_price: toRupees(openPrice(shown)),
    close_price: shown.overnightQuantity === 0 ? 0 : toRupees(close),
    last_price: toRupees(last),
    value: toRupees(s.sellValue - s.buyValue),
    pnl: toRupees(total),
    m2m: toRupees(profit(shown, last, close)),
    unrealised: toRupees(total - done),
    realised: toRupees(done),
    buy_quantity: s.buyQuantity,
    buy_price: ratio(s.buyValue, s.buyQuantity),
    buy_value: toRupees(s.buyValue),
    buy_m2m: toRupees(m.buyValue),
    sell_quantity: s.sellQuantity,
    sell_price: ratio(s.sellValue, s.sellQuantity),
    sell_value: toRupees(s.sellValue),
    sell_m2m: toRupees(m.sellValue),
    day_buy_quantity: p.dayBuyQuantity,
    day_buy_price: ratio(p.dayBuyValue, p.dayBuyQuantity),
    day_buy_value: toRupees(p.dayBuyValue),
    day_sell_quantity: p.daySellQuantity,
    day_sell_price: ratio(p.daySellValue, p.daySellQuantity),
    day_sell_value: toRupees(p.daySellValue),
  };
}
