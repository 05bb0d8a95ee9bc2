import type { Market, Quote } from '../contracts.ts';
import { toUnits } from './money.ts';
import { isFinal, move, type Order, pendingOf } from './order.ts';

/** What happens to orders at the exchange, told to whoever keeps accounts and tells clients. */
export interface ExchangeListener {
  filled(order: Order, quantity: number, price: number): void;
  changed(order: Order, event: OrderEvent): void;
}

/** `update`: partly filled or modified, which the broker tells as such whatever the status. */
export type OrderEvent = 'status' | 'update';

interface Book {
  readonly resting: Order[];
  stop: (() => void) | undefined;
}

/** What our own orders took from the quote that stands, by side and price: liquidity is not filled against twice. */
interface Taken {
  exchangeMs: number;
  readonly quantities: Map<string, number>;
}

/**
 * Orders at the exchange: matched on arrival against the market's book, later whenever its quote changes.
 * An arriving order takes the other side's levels at their prices; a resting one is filled at its own price.
 */
export class MatchingEngine {
  readonly #market: Market;
  readonly #listener: ExchangeListener;
  readonly #books = new Map<number, Book>();
  readonly #taken = new Map<number, Taken>();

  constructor(market: Market, listener: ExchangeListener) {
    this.#market = market;
    this.#listener = listener;
  }

  /** Takes an order that is OPEN or TRIGGER PENDING. */
  enter(order: Order): void {
    this.#tryNow(order);
    if (isFinal(order)) return;
    if (order.validity === 'IOC') this.cancel(order);
    else this.#rest(order);
  }

  /** Looks at an order again after its price changed. */
  reconsider(order: Order): void {
    this.#tryNow(order);
    if (isFinal(order)) this.#leave(order);
  }

  /** An order of the pre-open waits for the first quote of the session. */
  #tryNow(order: Order): void {
    const { instrument_token, exchange } = order.instrument;
    const quote = this.#market.quote(instrument_token);
    if (quote !== undefined && this.#market.isOpen(exchange)) this.#advance(order, quote, false);
  }

  /** Ends what is open of an order; what was filled stays. */
  cancel(order: Order): void {
    this.#leave(order);
    order.cancelled_quantity = pendingOf(order);
    order.exchangeUpdateMs = this.#market.clock.nowMs();
    move(order, 'CANCELLED');
    this.#listener.changed(order, 'status');
  }

  close(): void {
    for (const book of this.#books.values()) book.stop?.();
    this.#books.clear();
    this.#taken.clear();
  }

  #rest(order: Order): void {
    const token = order.instrument.instrument_token;
    const book = this.#books.get(token) ?? { resting: [], stop: undefined };
    this.#books.set(token, book);
    book.resting.push(order);
    book.stop ??= this.#market.watch(token, (quote) => this.#onQuote(book, quote));
  }

  #leave(order: Order): void {
    const token = order.instrument.instrument_token;
    const book = this.#books.get(token);
    const index = book?.resting.indexOf(order) ?? -1;
    if (book === undefined || index < 0) return;
    book.resting.splice(index, 1);
    if (book.resting.length > 0) return;
    book.stop?.();
    this.#books.delete(token);
  }

  #onQuote(book: Book, quote: Quote): void {
    if (!this.#market.isOpen(quote.instrument.exchange)) return;
    for (const order of [...book.resting]) {
      if (order.status !== 'OPEN' && order.status !== 'TRIGGER PENDING') continue;
      this.#advance(order, quote, true);
      if (isFinal(order)) this.#leave(order);
    }
  }

  #advance(order: Order, quote: Quote, rested: boolean): void {
    let resting = rested;
    if (order.status === 'TRIGGER PENDING') {
      if (!isTriggered(order, quote.last_price)) return;
      this.#trigger(order, quote);
      resting = false;
    }
    // Orders of an auction meet their counterparties there, not in the day's book.
    if (order.variety !== 'auction') this.#fill(order, quote, resting);
  }

  #trigger(order: Order, quote: Quote): void {
    order.triggered = true;
    if (order.order_type === 'SL-M') order.protectedPrice = protectedPrice(order, quote.last_price);
    order.exchangeUpdateMs = this.#market.clock.nowMs();
    move(order, 'OPEN');
    this.#listener.changed(order, 'status');
  }

  #fill(order: Order, quote: Quote, resting: boolean): void {
    const buying = order.transaction_type === 'BUY';
    const limit = limitUnits(order);
    const taken = this.#takenOf(quote);
    const before = order.filled_quantity;
    for (const level of buying ? quote.depth.sell : quote.depth.buy) {
      const price = toUnits(level.price);
      if (price <= 0 || (buying ? price > limit : price < limit)) break;
      const key = `${buying ? 'S' : 'B'}${price}`;
      const used = taken.quantities.get(key) ?? 0;
      const quantity = Math.min(pendingOf(order), level.quantity - used);
      if (quantity <= 0) continue;
      taken.quantities.set(key, used + quantity);
      this.#execute(order, quantity, resting && order.order_type !== 'MARKET' ? limit : price);
      if (pendingOf(order) === 0) break;
    }
    if (order.filled_quantity > before) this.#afterFill(order);
  }

  #execute(order: Order, quantity: number, price: number): void {
    order.filled_quantity += quantity;
    order.filledValue += quantity * price;
    order.exchangeUpdateMs = this.#market.clock.nowMs();
    this.#listener.filled(order, quantity, price);
  }

  #afterFill(order: Order): void {
    const done = pendingOf(order) === 0;
    move(order, done ? 'COMPLETE' : 'OPEN');
    this.#listener.changed(order, done ? 'status' : 'update');
  }

  #takenOf(quote: Quote): Taken {
    const token = quote.instrument.instrument_token;
    const known = this.#taken.get(token);
    if (known !== undefined && known.exchangeMs === quote.exchangeMs) return known;
    const fresh = { exchangeMs: quote.exchangeMs, quantities: new Map<string, number>() };
    this.#taken.set(token, fresh);
    return fresh;
  }
}

/** The worst price the order may be filled at, money units. */
function limitUnits(order: Order): number {
  if (order.order_type === 'LIMIT' || order.order_type === 'SL') return toUnits(order.price);
  if (order.protectedPrice !== null) return toUnits(order.protectedPrice);
  return order.transaction_type === 'BUY' ? Number.MAX_SAFE_INTEGER : 0;
}

/** A buying stop waits for the price to rise to its trigger, a selling one for it to fall there. */
function isTriggered(order: Pick<Order, 'transaction_type' | 'trigger_price'>, lastPrice: number): boolean {
  if (lastPrice <= 0) return false;
  return order.transaction_type === 'BUY'
    ? lastPrice >= order.trigger_price
    : lastPrice <= order.trigger_price;
}

/**
 * The limit a market order becomes: the last price and a band around it, on a tick. -1 asks for the broker's bands
 * (support article market-price-protection-on-the-order-window). Null: no protection.
 */
export function protectedPrice(
  order: Pick<Order, 'market_protection' | 'transaction_type' | 'instrument'>,
  lastPrice: number,
): number | null {
  if (order.market_protection === 0 || lastPrice <= 0) return null;
  const { instrument_type, tick_size } = order.instrument;
  const isOption = instrument_type === 'CE' || instrument_type === 'PE';
  const percent =
    order.market_protection === -1 ? automaticBand(isOption, lastPrice) : order.market_protection;
  const tick = tick_size > 0 ? tick_size : 0.05;
  if (order.transaction_type === 'BUY') {
    return Math.round(Math.ceil((lastPrice * (1 + percent / 100)) / tick - 1e-9) * tick * 10_000) / 10_000;
  }
  return Math.round(Math.floor((lastPrice * (1 - percent / 100)) / tick + 1e-9) * tick * 10_000) / 10_000;
}

function automaticBand(isOption: boolean, price: number): number {
  if (!isOption) return price < 100 ? 2 : price <= 500 ? 1 : 0.5;
  if (price < 10) return 5;
  if (price <= 100) return 3;
  return price <= 500 ? 2 : 1;
}
