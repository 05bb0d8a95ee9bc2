import type { Instrument } from '#shared/market/instrument.ts';
import { freezeLimit } from '#shared/orders/freeze-limits.ts';
import type { Market } from '../contracts.ts';
import type { SwitchBoard } from '../control/switches.ts';
import { KiteError } from '../rest/kite-error.ts';
import { autoslices } from './autoslice.ts';
import {
  checkAuthorised,
  checkRequest,
  checkSandboxOrder,
  findTradable,
  type Rejection,
  riskRejection,
} from './checks.ts';
import { Desk } from './desk.ts';
import { followUp } from './follow-ups.ts';
import { Later } from './later.ts';
import type { Segment } from './margins.ts';
import { MatchingEngine, type OrderEvent, protectedPrice } from './matching.ts';
import { toUnits } from './money.ts';
import { exchangeOrderId, newOrder, orderId, type Source, type Times } from './new-order.ts';
import { isFinal, move, type Order, type OrderRequest } from './order.ts';
import { OrderLimits } from './order-limits.ts';
import { tradeDay } from './trade-day.ts';

/** How a placement is disturbed: `lateMs` until the broker works on it and the book shows it. */
export interface Placing {
  readonly lateMs?: number;
}

/** A refused slice of an order, as the broker lists it among its children. */
export interface SliceError {
  readonly error: {
    readonly code: number;
    readonly error_type: string;
    readonly message: string;
    readonly data: null;
  };
}
export type Placed = { readonly order_id: string } | SliceError;

export interface BrokerOptions {
  readonly market: Market;
  readonly switches: SwitchBoard;
  /** Starting money of a user, rupees. */
  readonly cashOf: (userId: string) => Record<Segment, number>;
  /** Told of every change that a client may hear of. */
  readonly notify: (order: Order, event: OrderEvent) => void;
}

/** Every user's desk, and an order's way from the gateway over the risk system to the exchange. */
export class Broker {
  readonly market: Market;
  readonly switches: SwitchBoard;
  readonly limits: OrderLimits;
  readonly engine: MatchingEngine;
  readonly later = new Later();
  readonly #options: BrokerOptions;
  readonly #desks = new Map<string, Desk>();
  /** Every order the broker ever took, other days' too. */
  #all: Order[] = [];
  #serial = 0;
  #tradeSerial = 0;
  #endsForDay: Order | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.market = options.market;
    this.switches = options.switches;
    this.limits = new OrderLimits(options.market.clock);
    this.engine = new MatchingEngine(options.market, {
      filled: (order, quantity, price) => this.#filled(order, quantity, price),
      changed: (order, event) => this.changed(order, event),
    });
  }

  desk(userId: string): Desk {
    const known = this.#desks.get(userId);
    if (known !== undefined) return known;
    const desk = new Desk(userId, this.market, this.#options.cashOf(userId));
    this.#desks.set(userId, desk);
    return desk;
  }

  /** A user whose money was set anew starts over with it; what is held and used stays. */
  setCash(userId: string): void {
    const desk = this.#desks.get(userId);
    const cash = this.#options.cashOf(userId);
    if (desk !== undefined)
      Object.assign(desk.opening, { equity: toUnits(cash.equity), commodity: toUnits(cash.commodity) });
  }

  desks(): Desk[] {
    return [...this.#desks.values()];
  }

  /** All orders ever taken, visible or not, oldest first. */
  everyOrder(): readonly Order[] {
    return this.#all;
  }

  /** Those the book shows the user now. */
  visibleOrders(userId: string): Order[] {
    const wallMs = this.market.clock.wallMs();
    return [...this.desk(userId).orders.values()].filter((order) => order.visibleWallMs <= wallMs);
  }

  visibleOrder(userId: string, order_id: string): Order | undefined {
    const order = this.desk(userId).orders.get(order_id);
    return order !== undefined && order.visibleWallMs <= this.market.clock.wallMs() ? order : undefined;
  }

  /**
   * Takes an order; several when it is sliced.
   * @throws KiteError for what the gateway refuses.
   */
  place(source: Source, request: OrderRequest, placing: Placing = {}): Placed[] {
    const instrument = findTradable(this.market, request.exchange, request.tradingsymbol);
    checkRequest(instrument, request, this.market.clock.nowMs());
    const { edis_required, sandbox } = this.switches.values;
    if (sandbox) checkSandboxOrder(request, this.desk(source.user_id).lastPrice(instrument));
    if (edis_required) checkAuthorised(instrument, request, this.desk(source.user_id));
    const parts = this.#parts(instrument, request);
    if (parts.length === 1) return [{ order_id: this.#take(source, instrument, request, placing).order_id }];
    return parts.map((quantity) => this.#takeSlice(source, instrument, { ...request, quantity }, placing));
  }

  /** Puts an order that the broker itself makes (a next leg, a square-off) on its way. */
  launch(order: Order): void {
    this.#register(order);
    this.submit(order);
  }

  /** A new day's dump came into force. */
  renewInstruments(): void {
    const find = (old: Instrument) => this.market.bySymbol(old.exchange, old.tradingsymbol);
    for (const desk of this.desks()) desk.renewInstruments(find);
  }

  nextOrderId(): string {
    this.#serial += 1;
    return orderId(this.market.clock.nowMs(), this.#serial);
  }

  /** From the gateway on: risk check, then to the exchange. */
  submit(order: Order): void {
    move(order, 'PUT ORDER REQ RECEIVED');
    this.#validate(order);
  }

  reject(order: Order, { message, raw }: Pick<Rejection, 'message' | 'raw'>): void {
    order.status_message = message;
    order.status_message_raw = raw;
    move(order, 'REJECTED');
    this.changed(order, 'status');
  }

  /** Cancels an order because its day is over: nothing follows it, the position itself is closed or carried. */
  endForDay(order: Order): void {
    this.#endsForDay = order;
    this.engine.cancel(order);
    this.#endsForDay = undefined;
  }

  changed(order: Order, event: OrderEvent): void {
    const desk = this.desk(order.user_id);
    desk.settle(order);
    this.#options.notify(order, event);
    const next =
      isFinal(order) && order !== this.#endsForDay
        ? followUp(order, () => this.nextOrderId(), this.#times())
        : undefined;
    if (next !== undefined) this.launch(next);
  }

  reset(): void {
    this.later.clear();
    this.engine.close();
    this.limits.reset();
    this.#desks.clear();
    this.#all = [];
  }

  close(): void {
    this.later.clear();
    this.engine.close();
  }

  #parts(instrument: Instrument, request: OrderRequest): number[] {
    const limit = freezeLimit(instrument.name, tradeDay(this.market.clock.nowMs()));
    if (!request.autoslice || limit === undefined || instrument.instrument_type === 'EQ')
      return [request.quantity];
    const parts = autoslices(request.quantity, Math.max(1, instrument.lot_size), limit);
    if (parts.length > 10) {
      throw new KiteError(
        400,
        'InputException',
        'Invalid `quantity`: more than 10 slices of the freeze quantity',
      );
    }
    return parts;
  }

  #takeSlice(source: Source, instrument: Instrument, request: OrderRequest, placing: Placing): Placed {
    try {
      return { order_id: this.#take(source, instrument, request, placing).order_id };
    } catch (error) {
      if (!(error instanceof KiteError)) throw error;
      const { status, error_type, message } = error;
      return { error: { code: status, error_type, message, data: null } };
    }
  }

  #take(source: Source, instrument: Instrument, request: OrderRequest, { lateMs = 0 }: Placing): Order {
    const order = newOrder(source, instrument, request, this.nextOrderId(), this.#times(lateMs));
    if (this.switches.values.refuse_at_gateway && order.variety !== 'amo') {
      const desk = this.desk(order.user_id);
      const reason = riskRejection(order, desk, this.market, this.switches.values);
      if (reason !== undefined) throw reason.refusal;
    }
    this.#register(order);
    if (order.variety === 'amo') this.#queueForOpening(order);
    else {
      move(order, 'PUT ORDER REQ RECEIVED');
      this.later.after(lateMs, () => this.#validate(order));
    }
    return order;
  }

  #times(lateMs = 0): Times {
    const { clock } = this.market;
    const wallMs = clock.wallMs();
    return { nowMs: clock.nowMs(), wallMs, visibleWallMs: wallMs + lateMs };
  }

  #register(order: Order): void {
    this.desk(order.user_id).add(order);
    this.#all.push(order);
  }

  #queueForOpening(order: Order): void {
    order.sawClosed = !this.market.isOpen(order.instrument.exchange);
    move(order, 'AMO REQ RECEIVED');
    this.changed(order, 'status');
  }

  #validate(order: Order): void {
    if (isFinal(order)) return;
    move(order, 'VALIDATION PENDING');
    const desk = this.desk(order.user_id);
    const reason = riskRejection(order, desk, this.market, this.switches.values);
    if (reason !== undefined) {
      this.reject(order, reason);
      return;
    }
    move(order, 'OPEN PENDING');
    this.later.after(this.switches.values.exchange_latency_ms, () => this.#arrive(order));
  }

  /** The exchange has it: from here on it has the exchange's id and times. */
  #arrive(order: Order): void {
    if (order.status !== 'OPEN PENDING') return;
    this.#serial += 1;
    order.exchange_order_id = exchangeOrderId(this.#serial);
    order.exchangeMs = this.market.clock.nowMs();
    order.exchangeUpdateMs = order.exchangeMs;
    const stop = order.order_type === 'SL' || order.order_type === 'SL-M';
    if (order.order_type === 'MARKET') {
      const lastPrice = this.desk(order.user_id).lastPrice(order.instrument);
      order.protectedPrice = protectedPrice(order, lastPrice);
    }
    move(order, stop ? 'TRIGGER PENDING' : 'OPEN');
    this.changed(order, 'status');
    this.engine.enter(order);
  }

  #filled(order: Order, quantity: number, price: number): void {
    this.#tradeSerial += 1;
    const atMs = this.market.clock.nowMs();
    this.desk(order.user_id).record({
      trade_id: String(10_000_000 + this.#tradeSerial),
      order,
      quantity,
      price,
      atMs,
    });
  }
}
