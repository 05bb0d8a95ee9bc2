import { type OrderUpdateMessage, orderUpdateMessage } from '#shared/orders/updates.ts';

const common = { v: 1, lease: 3, received_at: '2026-08-18T04:00:00.000Z' } as const;

/** A frame's message as the outbox makes it. */
export function aFrame(order_id: string, content: string, account_id = 'primary'): OrderUpdateMessage {
  return orderUpdateMessage(
    { ...common, kind: 'frame', account_id, order: { order_id, status: 'OPEN', content } },
    `${order_id} ${content}`,
  );
}

export function aSync(content: string, account_id = 'primary'): OrderUpdateMessage {
  return orderUpdateMessage({ ...common, kind: 'sync', account_id, reason: 'connected' }, content);
}
