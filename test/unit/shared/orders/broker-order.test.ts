import { describe, expect, it } from 'vitest';
import { brokerOrder } from '#shared/orders/broker-order.ts';
import { REQUEST } from './tasks.ts';

describe('what goes to the broker', () => {
  it("carries our tag, the slice's quantity, and nothing that is ours alone", () => {
    const request = { ...REQUEST, tag: 'mine', not_after: '2026-08-18T10:00:00Z', quantity: 3_900 };
    expect(brokerOrder(request, { tag: 'ours', quantity: 1_755 })).toEqual({
      variety: 'regular',
      exchange: 'NFO',
      tradingsymbol: 'NIFTY2681826050CE',
      transaction_type: 'BUY',
      order_type: 'LIMIT',
      quantity: 1_755,
      product: 'NRML',
      price: 100.05,
      validity: 'DAY',
      tag: 'ours',
    });
  });

  it('never discloses more than a slice has', () => {
    const request = { ...REQUEST, quantity: 3_900, disclosed_quantity: 1_950 };
    expect(brokerOrder(request, { tag: 't', quantity: 390 }).disclosed_quantity).toBe(390);
  });
});
