import { describe, expect, it } from 'vitest';
import { isFinal, TASK_STATES } from '#shared/orders/life-cycle.ts';
import { isStray } from '#shared/orders/stray.ts';
import type { Task } from '#shared/orders/types.ts';
import { NOW_MS, taskOf } from './tasks.ts';

const GRACE_MS = 20_000;
const settings = { replyTimeoutMs: 7_000 };
const strayAt = (task: Task, wallMs: number) => isStray(task, wallMs, GRACE_MS, settings);

describe('a stray task', () => {
  it.each([
    ['PENDING, since it was accepted', taskOf(), NOW_MS],
    [
      'RETRYING, since its back-off',
      taskOf({ status: 'RETRYING', not_before_ms: NOW_MS + 8_000 }),
      NOW_MS + 8_000,
    ],
    [
      'RETRYING, since its not_after when the back-off is longer',
      taskOf({ status: 'RETRYING', not_before_ms: NOW_MS + 10 ** 8 }),
      NOW_MS + 60_000,
    ],
    [
      'RUNNING, since its worker must be gone',
      taskOf({ status: 'RUNNING', attempt: { number: 1, deadline_ms: NOW_MS + 5_000 } }),
      NOW_MS + 12_000,
    ],
    [
      'VERIFYING, since its next look',
      taskOf({ status: 'VERIFYING', search: { until_ms: NOW_MS, next_look_at_ms: NOW_MS + 2_000 } }),
      NOW_MS + 2_000,
    ],
  ])('is one that is %s, overdue by more than the grace', (_, task, dueMs) => {
    expect(strayAt(task, dueMs + GRACE_MS)).toBe(false);
    expect(strayAt(task, dueMs + GRACE_MS + 1)).toBe(true);
  });

  it('is never one that is final', () => {
    for (const status of TASK_STATES.filter(isFinal))
      expect(strayAt(taskOf({ status }), NOW_MS + 10 ** 9)).toBe(false);
  });
});
