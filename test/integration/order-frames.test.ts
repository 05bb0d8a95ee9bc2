import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sqsClient } from '#shared/aws.ts';
import { stageNames } from '#shared/names.ts';
import { type OrderUpdate, orderUpdateSchema } from '#shared/orders/updates.ts';
import { OrderHand } from '#test/faults/support/order-hand.ts';
import { liveInstruments } from '#test/faults/support/scene.ts';
import { Client, eventually } from './client.ts';
import { usePlatformEnv } from './scratch-table.ts';

const client = new Client();
const updates: OrderUpdate[] = [];
let queueUrl: string;

beforeAll(async () => {
  usePlatformEnv();
  const names = stageNames('local');
  const { QueueUrl } = await sqsClient().send(new GetQueueUrlCommand({ QueueName: names.orderUpdatesQueue }));
  queueUrl = QueueUrl!;
});

/** Takes out what the streamer has put in so far: nobody else reads this queue yet. */
async function receive(): Promise<void> {
  const sqs = sqsClient();
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
  );
  if (Messages.length === 0) return;
  updates.push(...Messages.map(({ Body }) => orderUpdateSchema.parse(JSON.parse(Body!))));
  const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
}

describe('order frames of the running streamer', () => {
  it('stand in the deployed queue, after a sync that its start has asked for', async () => {
    const { simulator_url } = client.platform.outputs;
    const hand = await OrderHand.open(simulator_url);
    const option = (await liveInstruments(simulator_url, 40)).find((each) => each.instrument_type === 'CE')!;
    const orderId = await hand.rest(option);
    await hand.cancel(orderId);
    const told = () =>
      updates.flatMap((update) =>
        update.kind === 'frame' && update.order.order_id === orderId ? [update] : [],
      );
    await eventually('the cancelled order', async () => {
      await receive();
      return told().find(({ order }) => order.status === 'CANCELLED');
    });
    expect(told().map(({ order }) => order)).toEqual(
      hand.sent.filter(({ order_id }) => order_id === orderId),
    );
    await hand.close();
    expect(told()[0]).toMatchObject({ v: 1, account_id: 'primary', lease: expect.any(Number) });
    await eventually('a sync', async () => {
      await receive();
      return updates.find((update) => update.kind === 'sync' && update.reason === 'connected');
    });
  });

  it('wait for four days in a queue whose failures end among dead letters', async () => {
    const { Attributes = {} } = await sqsClient().send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({ FifoQueue: 'true', MessageRetentionPeriod: String(4 * 86_400) });
    expect(Attributes.RedrivePolicy).toContain('order-updates-dead-letters');
  });
});
