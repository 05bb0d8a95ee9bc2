import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { share, toRupees, toUnits } from './money.ts';
import { type Order, pendingOf, type Side } from './order.ts';
import { netQuantity, openPrice, type Position, realised } from './positions.ts';

export type Segment = 'equity' | 'commodity';
export const SEGMENTS: readonly Segment[] = ['equity', 'commodity'];

export const segmentFor = (exchange: string): Segment => (exchange === 'MCX' ? 'commodity' : 'equity');

/** Flat rates in place of SPAN's scenarios: believable sizes, and sums that can be checked by hand. */
export const RATES = { span: 0.1, exposure: 0.02, intradayEquity: 0.2, marginTrading: 0.5 };

/** Money units a position or an order ties up, by the broker's own heads. */
export interface Blocked {
  readonly span: number;
  readonly exposure: number;
  readonly option_premium: number;
  readonly delivery: number;
}

const NOTHING: Blocked = { span: 0, exposure: 0, option_premium: 0, delivery: 0 };

export const totalOf = (b: Blocked) => b.span + b.exposure + b.option_premium + b.delivery;

export function sum(a: Blocked, b: Blocked): Blocked {
  return {
    span: a.span + b.span,
    exposure: a.exposure + b.exposure,
    option_premium: a.option_premium + b.option_premium,
    delivery: a.delivery + b.delivery,
  };
}

/** What it takes to open `quantity` on this side at `price` (units per piece). */
export function openingMargin(
  instrument: Instrument,
  product: string,
  side: Side,
  quantity: number,
  price: number,
): Blocked {
  const value = quantity * price;
  switch (kindOf(instrument)) {
    case 'option':
      if (side === 'BUY') return { ...NOTHING, option_premium: value };
      return derivativeMargin(quantity * toUnits(instrument.strike));
    case 'future':
      return derivativeMargin(value);
    case 'equity':
    case 'underlying':
      return equityMargin(product, side, value);
  }
}

function derivativeMargin(notional: number): Blocked {
  return { ...NOTHING, span: share(notional, RATES.span), exposure: share(notional, RATES.exposure) };
}

function equityMargin(product: string, side: Side, value: number): Blocked {
  if (product === 'CNC') return side === 'BUY' ? { ...NOTHING, delivery: value } : NOTHING;
  const rate = product === 'MTF' ? RATES.marginTrading : RATES.intradayEquity;
  return { ...NOTHING, exposure: share(value, rate) };
}

/** What a held position ties up: premiums and deliveries are counted as cash that flowed, not here. */
function positionMargin(p: Position): Blocked {
  const net = netQuantity(p);
  if (net === 0 || p.product === 'CNC') return NOTHING;
  if (kindOf(p.instrument) === 'option' && net > 0) return NOTHING;
  const side = net > 0 ? 'BUY' : 'SELL';
  return openingMargin(p.instrument, p.product, side, Math.abs(net), Math.round(openPrice(p)));
}

/** Cash that today's trades moved, by head; `m2m` is profit (negative: loss). */
function cashFlow(p: Position, lastPrice: number) {
  const paid = p.dayBuyValue - p.daySellValue;
  if (kindOf(p.instrument) === 'option')
    return { option_premium: paid, delivery: 0, sales: 0, m2m: 0, unrealised: 0 };
  if (p.product === 'CNC') {
    return {
      option_premium: 0,
      delivery: Math.max(0, paid),
      sales: Math.max(0, -paid),
      m2m: 0,
      unrealised: 0,
    };
  }
  const m2m = realised(p, p.settledPrice);
  const carried = p.overnightQuantity * p.settledPrice;
  const unrealised = p.daySellValue - p.dayBuyValue - carried + netQuantity(p) * lastPrice - m2m;
  return { option_premium: 0, delivery: 0, sales: 0, m2m, unrealised };
}

/** What the day's trades took from the cash (negative: brought), carried and intraday positions at the last price. */
export function cashUsed(
  positions: readonly Position[],
  lastPrice: (instrument: Instrument) => number,
): number {
  return positions.reduce((used, p) => {
    const flow = cashFlow(p, toUnits(lastPrice(p.instrument)));
    return used + flow.option_premium + flow.delivery - flow.sales - flow.m2m - flow.unrealised;
  }, 0);
}

/** How much of an order only closes what is held, given what other orders close already; the rest opens. */
export class Closable {
  readonly #left = new Map<string, number>();

  constructor(positions: readonly Position[]) {
    for (const p of positions)
      this.#left.set(`${p.instrument.instrument_token}:${p.product}`, netQuantity(p));
  }

  opening(order: Order): number {
    const key = `${order.instrument.instrument_token}:${order.product}`;
    const held = this.#left.get(key) ?? 0;
    const against = order.transaction_type === 'BUY' ? Math.max(0, -held) : Math.max(0, held);
    const closing = Math.min(pendingOf(order), against);
    this.#left.set(key, held + (order.transaction_type === 'BUY' ? closing : -closing));
    return pendingOf(order) - closing;
  }
}

export interface Funds {
  readonly blocked: Blocked;
  readonly holdingSales: number;
  readonly m2mRealised: number;
  readonly m2mUnrealised: number;
  /** All that is used of the opening balance; negative when the day brought money in. */
  readonly debits: number;
}

/** The used side of a segment's margins, from its positions and its orders that wait. */
export function usedFunds(
  positions: readonly Position[],
  waiting: readonly Order[],
  lastPrice: (instrument: Instrument) => number,
): Funds {
  let blocked = NOTHING;
  let holdingSales = 0;
  let m2mRealised = 0;
  let m2mUnrealised = 0;
  for (const p of positions) {
    const flow = cashFlow(p, toUnits(lastPrice(p.instrument)));
    blocked = sum(blocked, positionMargin(p));
    blocked = sum(blocked, { ...NOTHING, option_premium: flow.option_premium, delivery: flow.delivery });
    holdingSales += flow.sales;
    m2mRealised += flow.m2m;
    m2mUnrealised += flow.unrealised;
  }
  const closable = new Closable(positions);
  for (const order of waiting) blocked = sum(blocked, orderMargin(order, closable.opening(order), lastPrice));
  const debits = totalOf(blocked) - holdingSales - m2mRealised - m2mUnrealised;
  return { blocked, holdingSales, m2mRealised, m2mUnrealised, debits };
}

/** What an order's opening part needs, at its own price or, for a market order, at its band's end or the last price. */
export function orderMargin(
  order: Order,
  opening: number,
  lastPrice: (instrument: Instrument) => number,
): Blocked {
  const price = order.price || order.protectedPrice || order.trigger_price || lastPrice(order.instrument);
  return openingMargin(order.instrument, order.product, order.transaction_type, opening, toUnits(price));
}

/** A segment's margins as the broker shows them (margins.json in zerodha/kiteconnect-mocks). */
export function marginsRow(openingBalance: number, payin: number, funds: Funds) {
  const net = openingBalance + payin - funds.debits;
  return {
    enabled: true,
    net: toRupees(net),
    available: {
      adhoc_margin: 0,
      cash: toRupees(openingBalance),
      opening_balance: toRupees(openingBalance),
      live_balance: toRupees(net),
      collateral: 0,
      intraday_payin: toRupees(payin),
    },
    utilised: {
      debits: toRupees(funds.debits),
      exposure: toRupees(funds.blocked.exposure),
      m2m_realised: toRupees(funds.m2mRealised),
      m2m_unrealised: toRupees(funds.m2mUnrealised),
      option_premium: toRupees(funds.blocked.option_premium),
      payout: 0,
      span: toRupees(funds.blocked.span),
      holding_sales: toRupees(funds.holdingSales),
      turnover: 0,
      liquid_collateral: 0,
      stock_collateral: 0,
      delivery: toRupees(funds.blocked.delivery),
    },
  };
}
