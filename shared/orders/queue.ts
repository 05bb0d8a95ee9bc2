import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { TASK_ID } from './tags.ts';
import type { Task } from './types.ts';

/** What a message says: everything else stands in the task. */
export const taskMessageSchema = z.object({ task_id: z.string().regex(TASK_ID) });

/** SQS takes no longer invisibility than 12 hours, counted from the receive. */
const MAX_INVISIBLE_S = 11 * 3_600;

/** The FIFO queue between acceptance and worker; every task is a group of its own. */
export class TaskQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#url = queueUrl;
  }

  /** @param deduplication SQS drops a second message of the same within 5 minutes */
  async send(task: Pick<Task, 'task_id'>, deduplication: string = task.task_id): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({
        QueueUrl: this.#url,
        MessageBody: JSON.stringify({ task_id: task.task_id }),
        MessageGroupId: task.task_id,
        MessageDeduplicationId: deduplication,
      }),
    );
  }

  /** The message comes back after this time, in whole seconds rounded up. */
  async postpone(receiptHandle: string, waitMs: number): Promise<void> {
    const seconds = Math.min(Math.max(Math.ceil(waitMs / 1_000), 0), MAX_INVISIBLE_S);
    await this.#client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: this.#url,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: seconds,
      }),
    );
  }
}
