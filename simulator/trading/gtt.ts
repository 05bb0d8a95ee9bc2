import { z } from 'zod';
import { addDays, istDateTime, istDay } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Quote } from '../contracts.ts';
import type { Form } from '../rest/form.ts';
import { readJsonField } from '../rest/json-field.ts';
import { inputError, notFound } from '../rest/kite-error.ts';
import type { Broker } from './broker.ts';
import { checkQuantity, checkTick, findTradable } from './checks.ts';
import type { Source } from './new-order.ts';
import type { Side } from './order.ts';
import { limitOrder, type OwnOrderResult, placeQuietly } from './own-orders.ts';
import { TriggerWatch } from './triggers.ts';

const MOST_ACTIVE = 500;
const LIST_DAYS = 7;

/** Go sends every field of an order with zeros: what is not named here is dropped. */
const orderShape = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  quantity: z.coerce.number().int().min(1).max(100_000_000),
  order_type: z.enum(['LIMIT']),
  product: z.enum(['CNC', 'NRML', 'MTF', 'MIS']),
  price: z.coerce.number().positive().max(1e8),
});
const conditionShape = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  trigger_values: z.array(z.coerce.number().positive().max(1e8)).min(1).max(2),
  last_price: z.coerce.number().positive().max(1e8),
});

interface GttOrder extends z.infer<typeof orderShape> {
  result: OrderResult | null;
}

interface OrderResult {
  readonly account_id: string;
  readonly exchange: string;
  readonly tradingsymbol: string;
  readonly validity: 'DAY';
  readonly product: string;
  readonly order_type: string;
  readonly transaction_type: Side;
  readonly quantity: number;
  readonly price: number;
  readonly meta: string;
  readonly timestamp: string;
  readonly triggered_at: number;
  readonly order_result: OwnOrderResult;
}

export interface Gtt {
  readonly id: number;
  readonly source: Source;
  readonly createdMs: number;
  type: 'single' | 'two-leg';
  updatedMs: number;
  expiresMs: number;
  status: 'active' | 'triggered' | 'disabled' | 'expired' | 'cancelled' | 'rejected' | 'deleted';
  condition: z.infer<typeof conditionShape> & { instrument_token: number };
  orders: GttOrder[];
}

/** Good-till-triggered orders of all users. */
export class GttDesk {
  readonly #broker: Broker;
  readonly #watch: TriggerWatch<Gtt>;
  #gtts: Gtt[] = [];
  #lastId = 100_000;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#watch = new TriggerWatch(broker.market, (gtt, quote) => this.#look(gtt, quote));
  }

  /** @throws KiteError naming what is wrong. */
  place(source: Source, form: Form): Gtt {
    const active = this.#gtts.filter(
      (gtt) => gtt.source.user_id === source.user_id && gtt.status === 'active',
    );
    if (active.length >= MOST_ACTIVE) throw inputError(`Maximum of ${MOST_ACTIVE} active triggers reached`);
    const nowMs = this.#broker.market.clock.nowMs();
    this.#lastId += 1;
    const gtt: Gtt = {
      id: this.#lastId,
      source,
      createdMs: nowMs,
      updatedMs: nowMs,
      expiresMs: Date.parse(`${addDays(istDay(nowMs), 365)}T00:00:00+05:30`),
      status: 'active',
      ...this.#read(form),
    };
    this.#gtts.push(gtt);
    this.#watch.add(gtt, [gtt.condition.instrument_token]);
    return gtt;
  }

  /** Everything is sent again. @throws KiteError when it is not active any more or something is wrong. */
  modify(userId: string, id: number, form: Form): Gtt {
    const gtt = this.#active(userId, id);
    Object.assign(gtt, this.#read(form), { updatedMs: this.#broker.market.clock.nowMs() });
    this.#watch.add(gtt, [gtt.condition.instrument_token]);
    return gtt;
  }

  delete(userId: string, id: number): Gtt {
    const gtt = this.#active(userId, id);
    this.#end(gtt, 'deleted');
    return gtt;
  }

  get(userId: string, id: number): Gtt {
    const gtt = this.#gtts.find((candidate) => candidate.id === id && candidate.source.user_id === userId);
    if (gtt === undefined) throw notFound(`Couldn't find that \`trigger_id\` ${id}.`);
    return gtt;
  }

  /** The active ones and what changed in the last seven days. */
  list(userId: string): Gtt[] {
    const sinceMs = this.#broker.market.clock.nowMs() - LIST_DAYS * 86_400_000;
    return this.#gtts.filter(
      (gtt) => gtt.source.user_id === userId && (gtt.status === 'active' || gtt.updatedMs >= sinceMs),
    );
  }

  /** A new day's dump: what has expired ends, the rest watches its token of the day. */
  renewInstruments(): void {
    for (const gtt of this.#gtts.filter(({ status }) => status === 'active')) {
      const { exchange, tradingsymbol } = gtt.condition;
      const instrument = this.#broker.market.bySymbol(exchange, tradingsymbol);
      if (instrument === undefined) this.#end(gtt, 'expired');
      else {
        gtt.condition = { ...gtt.condition, instrument_token: instrument.instrument_token };
        this.#watch.add(gtt, [instrument.instrument_token]);
      }
    }
  }

  /** Ends those whose year is over. */
  advance(): void {
    const nowMs = this.#broker.market.clock.nowMs();
    for (const gtt of this.#gtts)
      if (gtt.status === 'active' && nowMs >= gtt.expiresMs) this.#end(gtt, 'expired');
  }

  reset(): void {
    this.#watch.clear();
    this.#gtts = [];
  }

  #active(userId: string, id: number): Gtt {
    const gtt = this.get(userId, id);
    if (gtt.status !== 'active') throw inputError(`Trigger is ${gtt.status}: \`trigger_id\` ${id}`);
    return gtt;
  }

  #read(form: Form): Pick<Gtt, 'type' | 'condition' | 'orders'> {
    const type = form.oneOf('type', ['single', 'two-leg'] as const);
    const condition = readJsonField(form, 'condition', conditionShape);
    const orders = readJsonField(form, 'orders', z.array(orderShape).min(1).max(2));
    const legs = type === 'single' ? 1 : 2;
    if (condition.trigger_values.length !== legs)
      throw inputError(`Invalid \`trigger_values\`: ${type} takes ${legs}`);
    if (orders.length !== legs) throw inputError(`Invalid \`orders\`: ${type} takes ${legs}`);
    const instrument = findTradable(this.#broker.market, condition.exchange, condition.tradingsymbol);
    checkTriggers(condition.trigger_values, condition.last_price);
    for (const order of orders) this.#checkOrder(order, instrument);
    return {
      type,
      condition: { ...condition, instrument_token: instrument.instrument_token },
      orders: orders.map((order) => ({ ...order, result: null })),
    };
  }

  #checkOrder(order: z.infer<typeof orderShape>, conditionOn: Instrument): void {
    if (order.exchange !== conditionOn.exchange || order.tradingsymbol !== conditionOn.tradingsymbol) {
      throw inputError('Invalid `orders`: not the instrument of the `condition`');
    }
    const request = {
      quantity: order.quantity,
      disclosed_quantity: 0,
      autoslice: false,
      variety: 'regular',
      iceberg_legs: 0,
    } as const;
    checkQuantity(conditionOn, request, this.#broker.market.clock.nowMs());
    checkTick('price', order.price, conditionOn);
  }

  #end(gtt: Gtt, status: Gtt['status']): void {
    gtt.status = status;
    gtt.updatedMs = this.#broker.market.clock.nowMs();
    this.#watch.remove(gtt);
  }

  #look(gtt: Gtt, quote: Quote): void {
    if (gtt.status !== 'active' || !this.#broker.market.isOpen(quote.instrument.exchange)) return;
    const leg = triggeredLeg(gtt.condition.trigger_values, gtt.condition.last_price, quote.last_price);
    const [order, reached] = leg === undefined ? [] : [gtt.orders[leg], gtt.condition.trigger_values[leg]];
    if (order === undefined || reached === undefined) return;
    this.#end(gtt, 'triggered');
    order.result = this.#fire(gtt, order, reached);
  }

  /** Triggered is not executed: what became of the order stands in its result. */
  #fire(gtt: Gtt, order: GttOrder, triggered_at: number): OrderResult {
    const { result: _, ...fields } = order;
    const timestamp = istDateTime(this.#broker.market.clock.nowMs());
    const outcome = placeQuietly(this.#broker, gtt.source, limitOrder(fields));
    return {
      account_id: gtt.source.user_id,
      validity: 'DAY',
      ...fields,
      meta: '{}',
      timestamp,
      triggered_at,
      order_result: outcome,
    };
  }
}

function checkTriggers(values: readonly number[], lastPrice: number): void {
  const [low, high] = values as [number, number | undefined];
  if (high === undefined) {
    if (low === lastPrice) throw inputError('Invalid `trigger_values`: trigger price equals `last_price`');
    return;
  }
  if (low >= lastPrice || high <= lastPrice) {
    throw inputError('Invalid `trigger_values`: the first must be below and the second above `last_price`');
  }
}

/** Which order's trigger the price reached: a value above the price at placement waits for a rise, one below for a fall. */
function triggeredLeg(values: readonly number[], placedAt: number, lastPrice: number): number | undefined {
  const leg = values.findIndex((value) => (value > placedAt ? lastPrice >= value : lastPrice <= value));
  return leg < 0 || lastPrice <= 0 ? undefined : leg;
}

/** A trigger as the broker shows it (gtt_get_order.json in zerodha/kiteconnect-mocks). */
export function gttRow(gtt: Gtt) {
  return {
    id: gtt.id,
    user_id: gtt.source.user_id,
    parent_trigger: null,
    type: gtt.type,
    created_at: istDateTime(gtt.createdMs),
    updated_at: istDateTime(gtt.updatedMs),
    expires_at: istDateTime(gtt.expiresMs),
    status: gtt.status,
    condition: gtt.condition,
    orders: gtt.orders,
    meta: rejectionOf(gtt),
  };
}

function rejectionOf({ orders }: Gtt): { rejection_reason?: string } {
  const reason = orders
    .map(({ result }) => result?.order_result.rejection_reason ?? '')
    .find((text) => text !== '');
  return reason === undefined ? {} : { rejection_reason: reason };
}
