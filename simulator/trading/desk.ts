import type { Instrument } from '#shared/market/instrument.ts';
import type { Market } from '../contracts.ts';
import { type Holding, startingHoldings } from './holdings.ts';
import {
  Closable,
  cashUsed,
  type Funds,
  orderMargin,
  type Segment,
  segmentFor,
  totalOf,
  usedFunds,
} from './margins.ts';
import { toUnits } from './money.ts';
import { isFinal, type Order, pendingOf, type Trade } from './order.ts';
import { netQuantity, PositionBook } from './positions.ts';

/** All that the broker keeps for one user today. */
export class Desk {
  readonly user_id: string;
  readonly positions = new PositionBook();
  readonly orders = new Map<string, Order>();
  readonly trades: Trade[] = [];
  holdings: Holding[];
  /** Money units at the day's start. */
  readonly opening: Record<Segment, number>;
  readonly #lastPrices = new WeakMap<Instrument, number>();
  readonly #waiting = new Set<Order>();
  readonly #market: Market;

  constructor(userId: string, market: Market, cash: Record<Segment, number>) {
    this.user_id = userId;
    this.#market = market;
    this.opening = { equity: toUnits(cash.equity), commodity: toUnits(cash.commodity) };
    this.holdings = startingHoldings(market);
  }

  add(order: Order): void {
    this.orders.set(order.order_id, order);
    this.#waiting.add(order);
  }

  /** Orders that may still trade, oldest first. */
  waiting(): Order[] {
    return [...this.#waiting];
  }

  /** Called after an order changed: what is final ties up nothing. */
  settle(order: Order): void {
    if (isFinal(order)) this.#waiting.delete(order);
  }

  /** Takes yesterday's order out of the book; its history is not asked for any more. */
  forgetOrder(order: Order): void {
    order.history.length = 0;
    this.orders.delete(order.order_id);
    this.#waiting.delete(order);
  }

  record(trade: Trade): void {
    this.trades.push(trade);
    const { order, quantity, price } = trade;
    this.positions.apply(order.instrument, order.product, order.transaction_type, quantity, price);
    if (order.product === 'CNC' && order.transaction_type === 'SELL')
      this.#deliver(order.instrument, quantity);
  }

  /** What a segment's positions and waiting orders use; `except` leaves one order out. */
  funds(segment: Segment, except?: Order): Funds {
    return usedFunds(
      this.positions.list().filter((p) => segmentFor(p.instrument.exchange) === segment),
      this.waiting().filter(
        (o) => o.order_id !== except?.order_id && segmentFor(o.instrument.exchange) === segment,
      ),
      this.lastPrice,
    );
  }

  /** What the day's trades took from a segment's cash. */
  cashUsed(segment: Segment): number {
    const positions = this.positions.list().filter((p) => segmentFor(p.instrument.exchange) === segment);
    return cashUsed(positions, this.lastPrice);
  }

  available(segment: Segment, except?: Order): number {
    return this.opening[segment] - this.funds(segment, except).debits;
  }

  /** What an order needs beyond what others use already: only its opening part counts. */
  needed(order: Order): number {
    const closable = new Closable(this.positions.list());
    for (const other of this.waiting()) if (other.order_id !== order.order_id) closable.opening(other);
    return totalOf(orderMargin(order, closable.opening(order), this.lastPrice));
  }

  /** Pieces that may be sold out of the demat account or out of today's deliveries. */
  sellable(instrument: Instrument, except?: Order): number {
    const token = instrument.instrument_token;
    const holding = this.holdings.find((h) => h.instrument.instrument_token === token);
    const held = holding === undefined ? 0 : holding.quantity + holding.t1Quantity + holding.usedQuantity;
    const position = this.positions.get(token, 'CNC');
    const promised = this.waiting()
      .filter((o) => o.order_id !== except?.order_id && o.product === 'CNC' && o.transaction_type === 'SELL')
      .filter((o) => o.instrument.instrument_token === token)
      .reduce((total, o) => total + pendingOf(o), 0);
    return held + (position === undefined ? 0 : netQuantity(position)) - promised;
  }

  /** The last price seen: an expired contract has no quote any more when its position is settled. */
  readonly lastPrice = (instrument: Instrument): number => {
    const quote = this.#market.quote(instrument.instrument_token);
    if (quote?.instrument.tradingsymbol !== instrument.tradingsymbol)
      return this.#lastPrices.get(instrument) ?? 0;
    this.#lastPrices.set(instrument, quote.last_price);
    return quote.last_price;
  };

  renewInstruments(find: (old: Instrument) => Instrument | undefined): void {
    this.positions.renew(find);
    for (const order of this.#waiting) order.instrument = find(order.instrument) ?? order.instrument;
    this.holdings = this.holdings.map((h) => ({ ...h, instrument: find(h.instrument) ?? h.instrument }));
  }

  /** Looks at the price of everything that is held, so that it is known when its quote ends. */
  rememberPrices(): void {
    for (const { instrument } of this.positions.list()) this.lastPrice(instrument);
  }

  /** Sold pieces leave the holdings, today's purchases first being netted in the position. */
  #deliver(instrument: Instrument, quantity: number): void {
    const holding = this.holdings.find((h) => h.instrument.instrument_token === instrument.instrument_token);
    if (holding === undefined) return;
    const position = this.positions.get(instrument.instrument_token, 'CNC');
    const soldBeyondBought = Math.max(0, -(position === undefined ? 0 : netQuantity(position)));
    const take = Math.min(
      quantity,
      holding.quantity + holding.t1Quantity,
      soldBeyondBought - holding.usedQuantity,
    );
    if (take <= 0) return;
    const fromSettled = Math.min(take, holding.quantity);
    holding.quantity -= fromSettled;
    holding.t1Quantity -= take - fromSettled;
    holding.usedQuantity += take;
  }
}
