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
import { eventBridgeClient, sqsClient } from '#shared/aws.ts';
import { type LifecycleEvent, lifecycleEventSchema } from '#shared/events/lifecycle.ts';
import { DEFAULT_CHANNEL_PREFIX, redisNames } from '#shared/messages/channels.ts';
import { EVENT_SOURCE, stageNames } from '#shared/names.ts';
import { eventually } from './client.ts';

export interface BusEntry {
  readonly source: string;
  readonly type: string;
  readonly event: LifecycleEvent;
}

const { bus } = stageNames('local');

/** Hears both places where the platform's events are told; every one of them must fit its schema. */
export class EventTap {
  readonly onRedis: LifecycleEvent[] = [];
  readonly onBus: BusEntry[] = [];
  readonly #name: string;
  readonly #redis: Redis;
  readonly #queueUrl: string;
  readonly #polling: Promise<void>;
  #listening = true;

  static async open(name: string, redisUrl: string): Promise<EventTap> {
    const redis = new Redis(redisUrl);
    const tap = new EventTap(name, redis, await listenToBus(name));
    await redis.subscribe(redisNames(DEFAULT_CHANNEL_PREFIX).events);
    return tap;
  }

  private constructor(name: string, redis: Redis, queueUrl: string) {
    this.#name = name;
    this.#redis = redis;
    this.#queueUrl = queueUrl;
    redis.on('message', (_channel, text) => this.onRedis.push(lifecycleEventSchema.parse(JSON.parse(text))));
    this.#polling = this.#poll();
  }

  /** The event as both places tell it. */
  async told(what: string, isIt: (event: LifecycleEvent) => boolean) {
    const message = await eventually(`${what} on Redis`, () => this.onRedis.find(isIt));
    const entry = await eventually(`${what} on the bus`, () => this.onBus.find(({ event }) => isIt(event)));
    return { message, entry };
  }

  async close(): Promise<void> {
    this.#listening = false;
    await this.#polling;
    this.#redis.disconnect();
    const events = eventBridgeClient();
    await events.send(new RemoveTargetsCommand({ Rule: this.#name, EventBusName: bus, Ids: ['queue'] }));
    await events.send(new DeleteRuleCommand({ Name: this.#name, EventBusName: bus }));
    await sqsClient().send(new DeleteQueueCommand({ QueueUrl: this.#queueUrl }));
  }

  async #poll(): Promise<void> {
    const sqs = sqsClient();
    while (this.#listening) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: this.#queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body, ReceiptHandle } of Messages) {
        const told = JSON.parse(Body!) as { source: string; 'detail-type': string; detail: unknown };
        const event = lifecycleEventSchema.parse(told.detail);
        this.onBus.push({ source: told.source, type: told['detail-type'], event });
        await sqs.send(new DeleteMessageCommand({ QueueUrl: this.#queueUrl, ReceiptHandle }));
      }
    }
  }
}

/** What another system does: a rule on the bus with a queue of its own as target. */
async function listenToBus(name: string): Promise<string> {
  const sqs = sqsClient();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
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
  await events.send(new PutRuleCommand({ Name: name, EventBusName: bus, EventPattern }));
  await events.send(
    new PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: [{ Id: 'queue', Arn: queueArn }] }),
  );
  return QueueUrl!;
}
