import { describe, expect, it } from 'vitest';
import { sweep } from '#functions/order-sweep/sweep.ts';
import { ManualClock } from '#shared/clock.ts';
import type { Task } from '#shared/orders/types.ts';
import { NOW_MS, taskOf } from '../../shared/orders/tasks.ts';

const GRACE_MS = 20_000;

async function sweepOf(open: readonly Task[], wallMs: number) {
  const sent: [string, string | undefined][] = [];
  const asked: string[] = [];
  const strays = await sweep({
    tasks: {
      listOpen: async (before) => {
        asked.push(before);
        return open.filter(({ task_id }) => task_id < before);
      },
    },
    queue: { send: async ({ task_id }, deduplication) => void sent.push([task_id, deduplication]) },
    clock: new ManualClock(wallMs),
    settings: { replyTimeoutMs: 7_000 },
    graceMs: GRACE_MS,
    log: { info: () => {}, warn: () => {} },
  });
  return { strays, sent, asked };
}

describe('the sweep', () => {
  it('sends the message of an overdue task again, once a version', async () => {
    const task = taskOf();
    const { strays, sent } = await sweepOf([task], NOW_MS + GRACE_MS + 1);
    expect(strays).toBe(1);
    expect(sent).toEqual([[task.task_id, `${task.task_id}.1`]]);
  });

  it('leaves a task alone that was just accepted or waits for its time', async () => {
    const waiting = taskOf({ status: 'RETRYING', not_before_ms: NOW_MS + 50_000 });
    expect((await sweepOf([taskOf(), waiting], NOW_MS + GRACE_MS)).sent).toEqual([]);
    expect((await sweepOf([waiting], NOW_MS + GRACE_MS + 1)).sent).toEqual([]);
  });
});
