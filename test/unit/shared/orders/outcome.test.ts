import { describe, expect, it } from 'vitest';
import { BrokerError } from '#shared/broker/errors.ts';
import { claimed } from '#shared/orders/change.ts';
import { afterAttempt, failedOutcome, withoutSlot } from '#shared/orders/outcome.ts';
import { NOW_MS, taskOf } from './tasks.ts';

const settings = { lateOrderWindowMs: 30_000 };

describe('an attempt that failed', () => {
  it('keeps the words of the broker', () => {
    const error = new BrokerError('refused', 'Insufficient funds.', {
      status: 400,
      errorType: 'MarginException',
    });
    expect(failedOutcome(error)).toEqual({
      type: 'failed',
      kind: 'refused',
      reason: { code: 'refused', message: 'Insufficient funds.', error_type: 'MarginException' },
    });
  });

  it('is no outcome when the broker was not asked: the error passes', () => {
    const error = new Error('the table does not answer');
    expect(() => failedOutcome(error)).toThrow(error);
  });
});

describe('an order without a slot', () => {
  const task = claimed(taskOf({ failures: 5 }), NOW_MS, 5_000);
  const notBefore = (freeAtMs: number | undefined, chance: number) =>
    afterAttempt(
      task,
      withoutSlot(freeAtMs, NOW_MS, () => chance),
      NOW_MS,
      settings,
      () => 0.5,
    );

  it('comes back when there may be one, spread, not after a back-off', () => {
    expect(notBefore(NOW_MS + 700, 0)).toMatchObject({ event: 'not_sent', notBeforeMs: NOW_MS + 700 });
    expect(notBefore(NOW_MS + 700, 0.5)).toMatchObject({ notBeforeMs: NOW_MS + 1_700 });
    expect(notBefore(NOW_MS - 5, 0)).toMatchObject({ notBeforeMs: NOW_MS });
  });

  it('waits for its own end when the day has no more', () => {
    const change = notBefore(undefined, 0);
    expect(change.notBeforeMs).toBeGreaterThan(task.not_after_ms);
    expect(change.reason?.code).toBe('no_slot');
  });
});
