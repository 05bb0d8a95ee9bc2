import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Redis } from 'ioredis';
import type { LifecycleEvent } from '#shared/events/lifecycle.ts';
import { redisNames } from '#shared/messages/channels.ts';
import { EVENT_SOURCE } from '#shared/names.ts';

/** Takes events in order; the answer holds the ones that it did not take. */
export type Sink = (events: readonly LifecycleEvent[]) => Promise<LifecycleEvent[]>;

/** EventBridge's limit of one PutEvents. */
const PUT_EVENTS_ENTRIES = 10;

export function busSink(client: Pick<EventBridgeClient, 'send'>, busName: string): Sink {
  return async (events) => {
    const refused: LifecycleEvent[] = [];
    for (let start = 0; start < events.length; start += PUT_EVENTS_ENTRIES) {
      const chunk = events.slice(start, start + PUT_EVENTS_ENTRIES);
      const { Entries } = await client.send(
        new PutEventsCommand({
          Entries: chunk.map((event) => ({
            EventBusName: busName,
            Source: EVENT_SOURCE,
            DetailType: event.event_type,
            Detail: JSON.stringify(event),
            Time: new Date(event.timestamp),
          })),
        }),
      );
      refused.push(...chunk.filter((_event, index) => Entries?.[index]?.ErrorCode !== undefined));
    }
    return refused;
  };
}

export function redisSink(redis: Pick<Redis, 'publish'>, prefix: string): Sink {
  const channel = redisNames(prefix).events;
  return async (events) => {
    for (const event of events) await redis.publish(channel, JSON.stringify(event));
    return [];
  };
}
