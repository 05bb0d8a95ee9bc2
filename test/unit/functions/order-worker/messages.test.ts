import type { Context, SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { queueHandler } from '#functions/order-worker/messages.ts';
import type { WorkResult } from '#functions/order-worker/worker.ts';
import { newTaskId } from '#shared/orders/tags.ts';

const TURN_MS = 12_000;

function receiver(work: (taskId: string, hasTime: () => boolean) => Promise<WorkResult>) {
  const postponed: [string, number][] = [];
  const errors: string[] = [];
  const handler = queueHandler({
    worker: { work },
    queue: { postpone: async (handle, waitMs) => void postponed.push([handle, waitMs]) },
    clock: { follow: async () => {} },
    log: { info: () => {}, warn: () => {}, error: (message) => void errors.push(String(message)) },
    turnMs: TURN_MS,
  });
  const receive = (body: string, remainingMs = 30_000) =>
    handler(
      { Records: [{ messageId: 'm1', receiptHandle: 'r1', body }] } as SQSEvent,
      { getRemainingTimeInMillis: () => remainingMs } as Context,
    );
  return { receive, postponed, errors };
}

describe('a message of the orders queue', () => {
  it('is done with when its task needs nothing more', async () => {
    const taskId = newTaskId(1);
    const seen: string[] = [];
    const { receive, postponed } = receiver(async (id) => {
      seen.push(id);
      return { type: 'done' };
    });
    expect(await receive(JSON.stringify({ task_id: taskId }))).toEqual({ batchItemFailures: [] });
    expect(seen).toEqual([taskId]);
    expect(postponed).toEqual([]);
  });

  it('is kept, and comes back when its task asked for it', async () => {
    const { receive, postponed } = receiver(async () => ({ type: 'again', waitMs: 3_200 }));
    expect(await receive(JSON.stringify({ task_id: newTaskId(1) }))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm1' }],
    });
    expect(postponed).toEqual([['r1', 3_200]]);
  });

  it('is kept when the worker fails', async () => {
    const { receive } = receiver(async () => {
      throw new Error('the table does not answer');
    });
    await expect(receive(JSON.stringify({ task_id: newTaskId(1) }))).rejects.toThrow('the table');
  });

  it('starts no turn that its time does not hold', async () => {
    const { receive } = receiver(async (_id, hasTime) => {
      return hasTime() ? { type: 'done' } : { type: 'again', waitMs: 0 };
    });
    const message = JSON.stringify({ task_id: newTaskId(1) });
    expect((await receive(message, TURN_MS)).batchItemFailures).toHaveLength(1);
    expect((await receive(message, TURN_MS + 10_000)).batchItemFailures).toEqual([]);
  });

  it.each(['', 'no json', '{}', '{"task_id":5}', '{"task_id":"../x"}', 'null'])(
    'that names no task (%j) is dropped and reported',
    async (body) => {
      const { receive, errors } = receiver(async () => {
        throw new Error('must not be asked');
      });
      expect(await receive(body)).toEqual({ batchItemFailures: [] });
      expect(errors).toHaveLength(1);
    },
  );
});
