import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { FollowedClock } from '#shared/clock-follower.ts';
import { type TaskQueue, taskMessageSchema } from '#shared/orders/queue.ts';
import type { OrderWorker, WorkerLog } from './worker.ts';

export interface QueueHandlerParts {
  readonly worker: Pick<OrderWorker, 'work'>;
  readonly queue: Pick<TaskQueue, 'postpone'>;
  readonly clock: Pick<FollowedClock, 'follow'>;
  readonly log: WorkerLog;
  /** The longest that one turn of the worker takes, with the broker silent. */
  readonly turnMs: number;
}

/** Stores and secrets around the broker's call take their time too. */
const TURN_MARGIN_MS = 3_000;

/** Consumes the orders queue, batch size 1: a message whose task needs more is failed, and so comes again. */
export function queueHandler(parts: QueueHandlerParts) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    await parts.clock.follow();
    const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
    for (const record of event.Records) {
      if (!(await isDone(parts, record, context)))
        batchItemFailures.push({ itemIdentifier: record.messageId });
    }
    return { batchItemFailures };
  };
}

async function isDone(parts: QueueHandlerParts, record: SQSRecord, context: Context): Promise<boolean> {
  const taskId = taskIdOf(record);
  if (taskId === undefined) {
    parts.log.error('a message that names no task was dropped', { message_id: record.messageId });
    return true;
  }
  const neededMs = parts.turnMs + TURN_MARGIN_MS;
  const result = await parts.worker.work(taskId, () => context.getRemainingTimeInMillis() > neededMs);
  if (result.type === 'done') return true;
  await parts.queue.postpone(record.receiptHandle, result.waitMs);
  return false;
}

function taskIdOf(record: SQSRecord): string | undefined {
  try {
    return taskMessageSchema.safeParse(JSON.parse(record.body)).data?.task_id;
  } catch {
    return undefined;
  }
}
