import { describe, expect, it } from 'vitest';
import { workerConfig } from '#functions/order-worker/config.ts';

const ENV = { ORDERS_QUEUE_URL: 'http://127.0.0.1:4566/0/ticker-local-orders.fifo' };

describe("the worker's configuration", () => {
  it('has the windows of the design where nothing is said', () => {
    expect(workerConfig(ENV)).toMatchObject({
      brokerUrl: 'https://api.kite.trade',
      connectTimeoutMs: 3_000,
      steps: { attemptMs: 5_000, replyTimeoutMs: 7_000, lateOrderWindowMs: 30_000 },
    });
  });

  it('reads seconds and gives ms', () => {
    expect(workerConfig({ ...ENV, LATE_ORDER_WINDOW_S: '2.5' }).steps.lateOrderWindowMs).toBe(2_500);
  });

  it.each([{ LATE_ORDER_WINDOW_S: '-1' }, { BROKER_URL: 'nowhere' }, { ORDER_ATTEMPT_S: 'soon' }])(
    'refuses %j by name',
    (wrong) => {
      expect(() => workerConfig({ ...ENV, ...wrong })).toThrow(Object.keys(wrong)[0]);
    },
  );

  it('refuses to start without a queue', () => {
    expect(() => workerConfig({})).toThrow('ORDERS_QUEUE_URL');
  });
});
