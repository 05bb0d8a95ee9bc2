import {
  DeleteRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventBridgeClient, sqsClient } from '#shared/aws.ts';
import {
  lifecycleEventSchema,
  type SubscriptionEvent,
  subscriptionEventSchema,
} from '#shared/events/lifecycle.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { DEFAULT_CHANNEL_PREFIX, redisNames } from '#shared/messages/channels.ts';
import { EVENT_SOURCE, stageNames } from '#shared/names.ts';
import { Client, eventually } from './client.ts';
import { usePlatformEnv } from './scratch-table.ts';

const client = new Client();
const NAME = 'events-test';
const { bus } = stageNames('local');
const onRedis: SubscriptionEvent[] = [];
const onBus: { readonly source: string; readonly type: string; readonly event: SubscriptionEvent }[] = [];

let redis: Redis;
let queueUrl: string;
let token: number;
let listening = true;
let polling: Promise<void>;

beforeAll(async () => {
  usePlatformEnv();
  const dump = await client.simulator('GET', '/instruments');
  const puts = parseInstrumentsCsv(String(dump.body)).filter(
    ({ instrument_type }) => instrument_type === 'PE',
  );
  token = puts[Math.floor(puts.length / 2)]!.instrument_token;
  redis = new Redis(client.platform.outputs.redis_url);
  redis.on('message', (_channel, text) => {
    const event = lifecycleEventSchema.parse(JSON.parse(text));
    const parsed = subscriptionEventSchema.safeParse(event);
    if (parsed.success) onRedis.push(parsed.data);
  });
  await redis.subscribe(redisNames(DEFAULT_CHANNEL_PREFIX).events);
  queueUrl = await listenToBus();
  polling = poll();
});

afterAll(async () => {
  listening = false;
  await polling;
  redis.disconnect();
  const events = eventBridgeClient();
  await events.send(new RemoveTargetsCommand({ Rule: NAME, EventBusName: bus, Ids: ['queue'] }));
  await events.send(new DeleteRuleCommand({ Name: NAME, EventBusName: bus }));
  await sqsClient().send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
});

/** What another system does: a rule on the bus with a queue of its own as target. */
async function listenToBus(): Promise<string> {
  const sqs = sqsClient();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: NAME }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const queueArn = Attributes!.QueueArn!;
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: queueArn,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const events = eventBridgeClient();
  const EventPattern = JSON.stringify({ source: [EVENT_SOURCE] });
  await events.send(new PutRuleCommand({ Name: NAME, EventBusName: bus, EventPattern }));
  await events.send(
    new PutTargetsCommand({ Rule: NAME, EventBusName: bus, Targets: [{ Id: 'queue', Arn: queueArn }] }),
  );
  return QueueUrl!;
}

async function poll(): Promise<void> {
  const sqs = sqsClient();
  while (listening) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    for (const { Body, ReceiptHandle } of Messages) {
      const told = JSON.parse(Body!) as { source: string; 'detail-type': string; detail: unknown };
      const parsed = subscriptionEventSchema.safeParse(told.detail);
      if (parsed.success) onBus.push({ source: told.source, type: told['detail-type'], event: parsed.data });
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

/** Both places tell of the token's change, each at least once. */
async function told(eventType: SubscriptionEvent['event_type'], version: number) {
  const isIt = (event: SubscriptionEvent) =>
    event.instrument_token === token && event.event_type === eventType && event.version === version;
  const message = await eventually(`${eventType} on Redis`, () => onRedis.find(isIt));
  const entry = await eventually(`${eventType} on the bus`, () => onBus.find(({ event }) => isIt(event)));
  return { message, entry };
}

describe('a change of the subscriptions', () => {
  it('is told on Redis and on the bus, as the same event', async () => {
    const made = await client.api('POST', '/subscriptions', {
      body: { instrument_token: token, mode: 'quote' },
    });
    const { version } = made.body as { version: number };
    const { message, entry } = await told('subscription_created', version);
    expect(entry).toMatchObject({ source: EVENT_SOURCE, type: 'subscription_created', event: message });
    expect(message.metadata).toMatchObject({ account_id: 'primary', requested_mode: 'quote' });

    await client.api('DELETE', `/subscriptions/${token}`);
    const ended = await told('subscription_removed', version + 1);
    expect(ended.entry.event.event_id).toBe(ended.message.event_id);
    expect(ended.message.event_id).not.toBe(message.event_id);
  });

  it('that is none is not told: the same wish again, another claim, another mode', async () => {
    const post = (mode: string) =>
      client.api('POST', '/subscriptions', { body: { instrument_token: token, mode } });
    const { version } = (await post('ltp')).body as { version: number };
    await told('subscription_created', version);
    await post('ltp');
    await post('full');
    await client.api('DELETE', `/subscriptions/${token}`);
    await told('subscription_removed', version + 2);
    const between = onRedis.filter(
      (event) => event.instrument_token === token && event.event_type === 'subscription_created',
    );
    expect(new Set(between.map(({ event_id }) => event_id)).size).toBe(2);
  });
});
