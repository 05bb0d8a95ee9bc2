import { describe, expect, it } from 'vitest';
import { type OrderUpdate, orderUpdateMessage, orderUpdateSchema } from '#shared/orders/updates.ts';

const common = { v: 1, account_id: 'primary', lease: 2, received_at: '2026-08-18T04:00:00.000Z' } as const;
const frame: OrderUpdate = {
  ...common,
  kind: 'frame',
  order: { order_id: '2208', status: 'OPEN', price: 10.05 },
};
const sync: OrderUpdate = { ...common, kind: 'sync', reason: 'dropped' };

describe('a message of the order updates queue', () => {
  it('says what it was made of', () => {
    for (const update of [frame, sync]) {
      expect(orderUpdateSchema.parse(JSON.parse(orderUpdateMessage(update, 'c').body))).toEqual(update);
    }
  });

  it('is deduplicated by account and content alone: lease and time of arrival are not the change', () => {
    const first = orderUpdateMessage(frame, '1 {}');
    const copy = orderUpdateMessage({ ...frame, lease: 9, received_at: '2026-08-18T04:00:01.000Z' }, '1 {}');
    expect(copy.deduplication).toBe(first.deduplication);
    const others = [
      orderUpdateMessage(frame, '2 {}'),
      orderUpdateMessage({ ...frame, account_id: 'second' }, '1 {}'),
      orderUpdateMessage(sync, '1 {}'),
    ];
    expect(new Set([first, ...others].map((each) => each.deduplication)).size).toBe(4);
  });

  it('stands in a group of its order, a sync in one of its account', () => {
    expect(orderUpdateMessage(frame, 'c').group).toBe('primary:2208');
    expect(orderUpdateMessage(sync, 'c').group).toBe('primary');
  });

  it('holds no character that SQS refuses, and means the same', () => {
    const odd = { ...frame, order: { ...frame.order, status_message: 'a\uFFFEb\uFFFFc\u0000\uD800' } };
    const { body } = orderUpdateMessage(odd, 'c');
    expect(body).toMatch(/^[ -\uD7FF\uE000-\uFFFD]*$/);
    expect(JSON.parse(body)).toEqual(odd);
  });
});
