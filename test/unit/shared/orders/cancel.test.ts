import { describe, expect, it } from 'vitest';
import { cancelledTask, cancelTask, NotCancellableError } from '#shared/orders/cancel.ts';
import { TASK_STATES } from '#shared/orders/life-cycle.ts';
import { VersionConflictError } from '#shared/orders/repository.ts';
import type { Task } from '#shared/orders/types.ts';
import { NOW_MS, slicedTask, taskOf } from './tasks.ts';

describe('cancelling a task', () => {
  it('ends one that waits, with what was taken before named by PARTIAL', () => {
    for (const status of ['PENDING', 'RETRYING'] as const) {
      expect(cancelledTask(taskOf({ status }), NOW_MS)).toMatchObject({ status: 'CANCELLED', version: 2 });
      expect(cancelledTask(slicedTask(3, 1, { status }), NOW_MS).status).toBe('PARTIAL');
    }
  });

  it('leaves one that is cancelled as it is', () => {
    const task = taskOf({ status: 'CANCELLED' });
    expect(cancelledTask(task, NOW_MS)).toBe(task);
  });

  it('is refused in every other state, and says whether the order may still be on its way', () => {
    const cancellable = ['PENDING', 'RETRYING', 'CANCELLED'];
    for (const status of TASK_STATES.filter((state) => !cancellable.includes(state))) {
      const error = errorOf(() => cancelledTask(taskOf({ status }), NOW_MS));
      expect(error).toBeInstanceOf(NotCancellableError);
      const inFlight = status === 'RUNNING' || status === 'VERIFYING';
      expect(error).toMatchObject({ code: inFlight ? 'in_flight' : 'final' });
    }
  });

  it('loses against a worker that claims at the same moment', async () => {
    const task = taskOf();
    const stored: Task[] = [task, { ...task, status: 'RUNNING', version: 2 }];
    const tasks = {
      get: async () => stored.shift(),
      save: async () => {
        throw new VersionConflictError('claimed meanwhile');
      },
    };
    await expect(cancelTask(tasks, task.task_id, () => NOW_MS)).rejects.toThrow(NotCancellableError);
  });
});

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
