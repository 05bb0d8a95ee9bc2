import { randomUUID } from 'node:crypto';
import type { Times } from './new-order.ts';
import type { Iceberg, Order } from './order.ts';

/** The order that one at its end brings about: an iceberg's next leg, the stop of what a cover order bought; else undefined. */
export function followUp(order: Order, nextId: () => string, times: Times): Order | undefined {
  if (order.status === 'COMPLETE' && order.iceberg !== null && order.iceberg.remaining_quantity > 0) {
    return nextLeg(order, order.iceberg, nextId(), times);
  }
  const isCoverEntry = order.variety === 'co' && order.parent_order_id === null;
  return isCoverEntry && order.filled_quantity > 0 ? secondLeg(order, nextId(), times) : undefined;
}

function nextLeg(order: Order, iceberg: Iceberg, order_id: string, times: Times): Order {
  const { leg, leg_quantity, remaining_quantity } = iceberg;
  return {
    ...freshCopy(order, order_id, times),
    quantity: leg_quantity,
    iceberg: { ...iceberg, leg: leg + 1, remaining_quantity: remaining_quantity - leg_quantity },
  };
}

function secondLeg(order: Order, order_id: string, times: Times): Order {
  return {
    ...freshCopy(order, order_id, times),
    quantity: order.filled_quantity,
    transaction_type: order.transaction_type === 'BUY' ? 'SELL' : 'BUY',
    parent_order_id: order.order_id,
    order_type: 'SL-M',
    price: 0,
    market_protection: -1,
  };
}

function freshCopy(order: Order, order_id: string, { nowMs, wallMs, visibleWallMs }: Times): Order {
  return {
    ...order,
    order_id,
    guid: randomUUID(),
    status: 'PUT ORDER REQ RECEIVED',
    exchange_order_id: null,
    exchangeMs: null,
    exchangeUpdateMs: null,
    orderMs: nowMs,
    filled_quantity: 0,
    filledValue: 0,
    cancelled_quantity: 0,
    modified: false,
    modifications: 0,
    protectedPrice: null,
    triggered: false,
    receivedWallMs: wallMs,
    visibleWallMs,
    history: [],
  };
}
