import type { Form } from '../rest/form.ts';
import { inputError, KiteError } from '../rest/kite-error.ts';
import type { Broker } from './broker.ts';
import { checkQuantity, checkTick, missingMargin, priceRejection } from './checks.ts';
import { protectedPrice } from './matching.ts';
import { isFinal, move, type Order, type OrderType } from './order.ts';
import { QUANTITY, readMarketProtection } from './order-form.ts';

const MAX_MODIFICATIONS = 25;
const ORDER_TYPES: readonly OrderType[] = ['MARKET', 'LIMIT', 'SL', 'SL-M'];

const refused = (message: string) => new KiteError(400, 'OrderException', message);

/** @throws KiteError when the user's book shows no such order of the variety, or it is not open any more. */
function openOrder(broker: Broker, userId: string, variety: string, order_id: string, doing: string): Order {
  const order = broker.visibleOrder(userId, order_id);
  if (order === undefined) throw refused(`Couldn't find that \`order_id\` ${order_id}.`);
  if (order.variety !== variety) {
    throw inputError(`Invalid \`variety\`: order ${order_id} is of variety ${order.variety}`);
  }
  if (isFinal(order))
    throw refused(`Order cannot be ${doing} as it is ${order.status}: \`order_id\` ${order_id}`);
  return order;
}

interface Change {
  readonly order_type: OrderType;
  readonly quantity: number;
  readonly price: number;
  readonly trigger_price: number;
  readonly disclosed_quantity: number;
  readonly validity: Order['validity'];
  readonly validity_ttl: number;
  readonly market_protection: number;
}

function readChange(order: Order, form: Form, quantityMeans: 'total' | 'remaining'): Change {
  const order_type = form.oneOf('order_type', ORDER_TYPES, order.order_type);
  const isMarket = order_type === 'MARKET' || order_type === 'SL-M';
  const isStop = order_type === 'SL' || order_type === 'SL-M' || order.variety === 'co';
  const given = form.has('quantity') ? form.integer('quantity', QUANTITY) : undefined;
  const total = given === undefined || quantityMeans === 'total' ? given : given + order.filled_quantity;
  const validity = form.oneOf('validity', ['DAY', 'IOC', 'TTL'] as const, order.validity);
  return {
    order_type,
    quantity: total ?? order.quantity,
    price: isMarket ? 0 : form.price('price', order.price),
    trigger_price: isStop ? form.price('trigger_price', order.trigger_price) : 0,
    disclosed_quantity: form.integer(
      'disclosed_quantity',
      { min: 0, max: QUANTITY.max },
      order.disclosed_quantity,
    ),
    validity,
    validity_ttl:
      validity === 'TTL' ? form.integer('validity_ttl', { min: 1, max: 375 }, order.validity_ttl) : 0,
    market_protection: form.has('market_protection') ? readMarketProtection(form) : order.market_protection,
  };
}

function checkChange(broker: Broker, order: Order, change: Change): void {
  if (change.price <= 0 && (change.order_type === 'LIMIT' || change.order_type === 'SL')) {
    throw inputError('Invalid `price`: a limit price above 0 is needed');
  }
  if (change.trigger_price <= 0 && (change.order_type === 'SL' || change.order_type === 'SL-M')) {
    throw inputError('Invalid `trigger_price`: a trigger price above 0 is needed');
  }
  if (change.quantity <= order.filled_quantity) {
    throw inputError(`Invalid \`quantity\`: ${order.filled_quantity} is filled already`);
  }
  checkQuantity(
    order.instrument,
    { ...change, autoslice: false, variety: 'regular', iceberg_legs: 0 },
    broker.market.clock.nowMs(),
  );
  checkTick('price', change.price, order.instrument);
  checkTick('trigger_price', change.trigger_price, order.instrument);
  const changed = { ...order, ...change };
  const { market, switches } = broker;
  // An order for the next opening meets the exchange's prices then.
  const reason =
    (order.status === 'AMO REQ RECEIVED' ? undefined : priceRejection(changed, market, switches.values)) ??
    missingMargin(changed, broker.desk(order.user_id), switches.values);
  if (reason !== undefined) throw reason.refusal;
}

/**
 * Changes an open order. @returns its id.
 * @throws KiteError for what cannot be changed, or after 25 modifications.
 */
export function modifyOrder(
  broker: Broker,
  userId: string,
  variety: string,
  order_id: string,
  form: Form,
): string {
  const order = openOrder(broker, userId, variety, order_id, 'modified');
  if (broker.switches.values.order_limits && order.modifications >= MAX_MODIFICATIONS) {
    throw refused(`Maximum allowed order modifications exceeded: 25 of \`order_id\` ${order_id}`);
  }
  const change = readChange(order, form, broker.switches.values.modify_quantity);
  checkChange(broker, order, change);
  order.modifications += 1;
  order.orderMs = broker.market.clock.nowMs();
  if (order.status === 'AMO REQ RECEIVED') {
    applyChange(order, change);
    move(order, order.status);
  } else modifyAtExchange(broker, order, change);
  return order_id;
}

function modifyAtExchange(broker: Broker, order: Order, change: Change): void {
  const status = order.status;
  move(order, 'MODIFY VALIDATION PENDING');
  move(order, 'MODIFY PENDING');
  order.status = status;
  broker.later.after(broker.switches.values.exchange_latency_ms, () => {
    // It may have been filled or cancelled on the way.
    if (isFinal(order) || change.quantity <= order.filled_quantity) return;
    applyChange(order, change);
    if (order.status === 'OPEN PENDING') return;
    order.exchangeUpdateMs = broker.market.clock.nowMs();
    const lastPrice = broker.desk(order.user_id).lastPrice(order.instrument);
    order.protectedPrice = order.order_type === 'MARKET' ? protectedPrice(order, lastPrice) : null;
    move(order, 'MODIFIED');
    const waits = (order.order_type === 'SL' || order.order_type === 'SL-M') && !order.triggered;
    move(order, waits ? 'TRIGGER PENDING' : 'OPEN');
    broker.changed(order, 'update');
    broker.engine.reconsider(order);
  });
}

function applyChange(order: Order, change: Change): void {
  Object.assign(order, change);
  order.modified = true;
}

/**
 * Cancels an open order; the second leg of a cover order is exited at the market instead.
 * @throws KiteError when there is nothing to cancel.
 */
export function cancelOrder(broker: Broker, userId: string, variety: string, order_id: string): string {
  const order = openOrder(broker, userId, variety, order_id, 'cancelled');
  order.orderMs = broker.market.clock.nowMs();
  if (order.variety === 'co' && order.parent_order_id !== null && order.status === 'TRIGGER PENDING') {
    exitCover(broker, order);
    return order_id;
  }
  const status = order.status;
  move(order, 'CANCEL PENDING');
  order.status = status;
  broker.later.after(broker.switches.values.exchange_latency_ms, () => {
    if (!isFinal(order)) broker.engine.cancel(order);
  });
  return order_id;
}

function exitCover(broker: Broker, order: Order): void {
  order.order_type = 'MARKET';
  order.trigger_price = 0;
  order.triggered = true;
  order.protectedPrice = null;
  move(order, 'OPEN');
  broker.changed(order, 'update');
  broker.engine.reconsider(order);
}
