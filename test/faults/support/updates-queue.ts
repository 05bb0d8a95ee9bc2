import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { startFaultProxy } from '#local/fault-proxy/proxy.ts';
import { LOCAL_REGION } from '#local/platform/emulator.ts';
import { type OrderUpdate, orderUpdateSchema } from '#shared/orders/updates.ts';
import { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';

/** What stood in the queue, in the order in which it was handed out. */
export interface Received {
  readonly update: OrderUpdate;
  readonly deduplication: string;
}

/** A queue like the deployed one; the streamer's way to it leads over `proxy`, the test's own does not. */
export async function startUpdatesQueue(endpointUrl: string, name: string) {
  const proxy = await startFaultProxy({ targetPort: Number(new URL(endpointUrl).port) });
  const direct = client(endpointUrl);
  const proxied = client(`http://127.0.0.1:${proxy.port}`);
  const { QueueUrl = '' } = await direct.send(
    new CreateQueueCommand({
      QueueName: `${name}.fifo`,
      Attributes: {
        FifoQueue: 'true',
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      },
    }),
  );
  return {
    proxy,
    queue: new OrderUpdatesQueue(proxied, QueueUrl),
    received: [] as Received[],
    /** Takes out what is there; what was taken before stands before it. */
    async receive(): Promise<readonly Received[]> {
      for (;;) {
        const { Messages = [] } = await direct.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            MessageSystemAttributeNames: ['MessageDeduplicationId'],
          }),
        );
        if (Messages.length === 0) return this.received;
        this.received.push(...Messages.map(receivedOf));
        const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
        await direct.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      }
    },
    async stop(): Promise<void> {
      await proxy.close();
      await direct.send(new DeleteQueueCommand({ QueueUrl }));
      proxied.destroy();
      direct.destroy();
    },
  };
}

export type UpdatesQueueUnderTest = Awaited<ReturnType<typeof startUpdatesQueue>>;

function receivedOf({ Body = '', Attributes }: Message): Received {
  return {
    update: orderUpdateSchema.parse(JSON.parse(Body)),
    deduplication: Attributes?.MessageDeduplicationId ?? '',
  };
}

function client(endpoint: string): SQSClient {
  return new SQSClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}
