import { closeMs, isTradingDay, istDay, istMs } from '#shared/market/calendar.ts';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { underlyingOf } from '#shared/market/underlyings.ts';
import type { Market } from '../contracts.ts';
import type { Broker } from './broker.ts';
import type { Desk } from './desk.ts';
import { type Holding, newHolding } from './holdings.ts';
import { SEGMENTS, segmentFor } from './margins.ts';
import { toUnits } from './money.ts';
import { newOrder } from './new-order.ts';
import { isFinal, type Order, type OrderRequest } from './order.ts';
import { netQuantity, openPrice, type Position } from './positions.ts';
import { tradeDay } from './trade-day.ts';

const TICK_MS = 200;
/** When the broker closes what was bought for the day (MIS, CO). */
const SQUARE_OFF_AT = '15:20';
const DAY_PRODUCTS = new Set(['MIS', 'CO']);

/** What time itself does to orders and positions: time-outs, opening, closing, the next day. */
export class DayTurner {
  readonly #broker: Broker;
  readonly #market: Market;
  readonly #timer: NodeJS.Timeout;
  readonly #onAdvance: () => void;
  #day: string;
  #squaredOff = '';

  constructor(broker: Broker, onAdvance: () => void = () => {}) {
    this.#broker = broker;
    this.#market = broker.market;
    this.#onAdvance = onAdvance;
    this.#day = tradeDay(this.#market.clock.nowMs());
    this.#timer = setInterval(() => this.advance(), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  reset(): void {
    this.#day = tradeDay(this.#market.clock.nowMs());
  }

  /** Does all that has become due; called often, and after the clock was moved. */
  advance(): void {
    const nowMs = this.#market.clock.nowMs();
    const day = tradeDay(nowMs);
    if (day > this.#day) this.#turn(day);
    // A clock that was set back brings no night with it.
    this.#day = day;
    for (const desk of this.#broker.desks()) {
      desk.rememberPrices();
      for (const order of desk.waiting()) this.#visit(order, nowMs);
    }
    this.#squareOff(day, nowMs);
    this.#onAdvance();
  }

  /** Once a day, in a market that follows its hours. */
  #squareOff(day: string, nowMs: number): void {
    if (this.#squaredOff === day || nowMs < istMs(day, SQUARE_OFF_AT)) return;
    this.#squaredOff = day;
    if (this.#market.clock.market !== 'auto' || !isTradingDay(day)) return;
    for (const desk of this.#broker.desks()) squareOffDesk(desk, this.#broker);
  }

  #visit(order: Order, nowMs: number): void {
    const open = this.#market.isOpen(order.instrument.exchange);
    if (order.status === 'AMO REQ RECEIVED') this.#releaseAmo(order, open);
    if (order.status !== 'OPEN' && order.status !== 'TRIGGER PENDING') return;
    const ttlEndsMs = (order.exchangeMs ?? order.orderMs) + order.validity_ttl * 60_000;
    const timedOut = order.validity === 'TTL' && nowMs >= ttlEndsMs;
    const closed = !open && this.#market.clock.market === 'auto' && isPastClose(order, nowMs);
    if (closed) this.#broker.endForDay(order);
    else if (timedOut) this.#broker.engine.cancel(order);
  }

  #releaseAmo(order: Order, open: boolean): void {
    if (!open) order.sawClosed = true;
    else if (order.sawClosed) this.#broker.submit(order);
  }

  /** Yesterday's orders leave the book, positions are carried, settled or delivered, money is counted anew. */
  #turn(day: string): void {
    this.#broker.limits.newDay();
    for (const desk of this.#broker.desks()) turnDesk(desk, this.#broker, day);
  }
}

function squareOffDesk(desk: Desk, broker: Broker): void {
  for (const order of desk.waiting()) {
    const waits = order.status === 'OPEN' || order.status === 'TRIGGER PENDING';
    if (DAY_PRODUCTS.has(order.product) && waits) broker.endForDay(order);
  }
  for (const position of desk.positions.list()) {
    const net = netQuantity(position);
    if (!DAY_PRODUCTS.has(position.product) || net === 0) continue;
    if (broker.market.isOpen(position.instrument.exchange))
      broker.launch(closingOrder(desk, broker, position, net));
  }
}

function closingOrder(desk: Desk, broker: Broker, position: Position, net: number): Order {
  const { clock } = broker.market;
  const wallMs = clock.wallMs();
  const request: OrderRequest = {
    variety: 'regular',
    exchange: position.instrument.exchange,
    tradingsymbol: position.instrument.tradingsymbol,
    transaction_type: net > 0 ? 'SELL' : 'BUY',
    quantity: Math.abs(net),
    product: position.product,
    order_type: 'MARKET',
    price: 0,
    trigger_price: 0,
    validity: 'DAY',
    validity_ttl: 0,
    disclosed_quantity: 0,
    market_protection: -1,
    iceberg_legs: 0,
    iceberg_quantity: 0,
    auction_number: null,
    tag: null,
    autoslice: false,
  };
  const source = { user_id: desk.user_id, api_key: '' };
  const times = { nowMs: clock.nowMs(), wallMs, visibleWallMs: wallMs };
  return newOrder(source, position.instrument, request, broker.nextOrderId(), times);
}

function isPastClose(order: Order, nowMs: number): boolean {
  const segment = kindOf(order.instrument) === 'equity' ? 'cash' : 'derivatives';
  return nowMs >= closeMs(istDay(order.exchangeMs ?? order.orderMs), segment);
}

function turnDesk(desk: Desk, broker: Broker, day: string): void {
  for (const order of [...desk.orders.values()]) {
    if (order.status === 'AMO REQ RECEIVED') {
      order.sawClosed = true;
      continue;
    }
    if (!isFinal(order)) broker.endForDay(order);
    desk.forgetOrder(order);
  }
  desk.trades.length = 0;
  for (const segment of SEGMENTS) desk.opening[segment] -= desk.cashUsed(segment);
  for (const h of desk.holdings) {
    h.quantity += h.t1Quantity;
    h.t1Quantity = 0;
  }
  for (const position of desk.positions.list()) carry(desk, position, broker.market, day);
  desk.holdings = desk.holdings.filter((h) => h.quantity + h.t1Quantity > 0);
  for (const h of desk.holdings) {
    h.usedQuantity = 0;
    h.authorisedQuantity = 0;
  }
}

/** One position's night: settled into cash, delivered into holdings, or carried at what it cost. */
function carry(desk: Desk, position: Position, market: Market, day: string): void {
  const { instrument, product } = position;
  const net = netQuantity(position);
  desk.positions.remove(position);
  if (product === 'CNC') {
    deliver(desk, instrument, net, position);
    return;
  }
  if (net === 0) return;
  const segment = segmentFor(instrument.exchange);
  const last = toUnits(desk.lastPrice(instrument));
  const isOption = kindOf(instrument) === 'option';
  if (hasExpired(instrument, day) || DAY_PRODUCTS.has(product)) {
    const price = hasExpired(instrument, day) && isOption ? settlementPrice(instrument, market) : last;
    // Futures and intraday shares were marked to the last price with the day's money already.
    desk.opening[segment] += net * (isOption ? price : price - last);
    return;
  }
  desk.positions.set({
    ...position,
    overnightQuantity: net,
    overnightPrice: Math.round(openPrice(position)),
    settledPrice: last,
    dayBuyQuantity: 0,
    dayBuyValue: 0,
    daySellQuantity: 0,
    daySellValue: 0,
  });
}

function hasExpired(instrument: Instrument, day: string): boolean {
  return instrument.expiry !== '' && instrument.expiry < day;
}

/** An option is worth its intrinsic value at its underlying's last price; that price stands in for the closing one. */
function settlementPrice(instrument: Instrument, market: Market): number {
  const underlying = underlyingOf(instrument.name);
  const index = underlying && market.bySymbol(underlying.exchange, underlying.tradingsymbol);
  const spot = (index && market.quote(index.instrument_token)?.last_price) ?? instrument.strike;
  const intrinsic = instrument.instrument_type === 'CE' ? spot - instrument.strike : instrument.strike - spot;
  return toUnits(Math.max(0, intrinsic));
}

/** The day's net purchase arrives in the demat account, where sales were taken out when they traded. */
function deliver(desk: Desk, instrument: Instrument, net: number, position: Position): void {
  const known = desk.holdings.find((h) => h.instrument.instrument_token === instrument.instrument_token);
  const arriving = net + (known?.usedQuantity ?? 0);
  if (arriving <= 0) return;
  const cost = net > 0 ? Math.round(openPrice(position)) : (known?.averagePrice ?? 0);
  if (known !== undefined) addTo(known, arriving, cost);
  else desk.holdings.push({ ...newHolding(instrument, 0, cost), t1Quantity: arriving });
}

function addTo(holding: Holding, quantity: number, cost: number): void {
  const held = holding.quantity + holding.t1Quantity;
  holding.averagePrice = Math.round((held * holding.averagePrice + quantity * cost) / (held + quantity));
  holding.t1Quantity += quantity;
}
