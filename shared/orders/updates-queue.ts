import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { OrderUpdateMessage } from './updates.ts';

/** SQS takes so many at once (docs.aws.amazon.com, SendMessageBatch), */
export const BATCH_MAX_MESSAGES = 10;
/** and 256 KiB in all; the rest of the request needs some of it. */
export const BATCH_MAX_BYTES = 240_000;

/** The FIFO queue before the order merger. */
export class OrderUpdatesQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#url = queueUrl;
  }

  /**
   * Answers with those that the queue has; the others were refused one by one.
   * @param messages at most {@link BATCH_MAX_MESSAGES} with {@link BATCH_MAX_BYTES}
   * @throws when nothing is known of any
   */
  async send(
    messages: readonly OrderUpdateMessage[],
    abortSignal: AbortSignal,
  ): Promise<ReadonlySet<OrderUpdateMessage>> {
    const { Successful = [] } = await this.#client.send(
      new SendMessageBatchCommand({
        QueueUrl: this.#url,
        Entries: messages.map((message, index) => ({
          Id: String(index),
          MessageBody: message.body,
          MessageGroupId: message.group,
          MessageDeduplicationId: message.deduplication,
        })),
      }),
      { abortSignal },
    );
    return new Set(Successful.flatMap(({ Id }) => messages[Number(Id)] ?? []));
  }
}
