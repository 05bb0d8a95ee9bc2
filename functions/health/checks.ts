import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Redis } from 'ioredis';
import { keys } from '#shared/table.ts';

/** Resolves when the dependency served a request, rejects with the reason when it did not. */
export type Check = (signal: AbortSignal) => Promise<void>;

/** Any read will do: an item that does not exist is an answer too. */
export function tableCheck(client: DynamoDBDocumentClient, tableName: string): Check {
  return async (signal) => {
    await client.send(new GetCommand({ TableName: tableName, Key: keys.account('health') }), {
      abortSignal: signal,
    });
  };
}

export function redisCheck(redis: Pick<Redis, 'ping'>): Check {
  return async () => {
    await redis.ping();
  };
}

/** Whatever it answers, it is there; only its own failures (5xx) count as none. */
export function brokerCheck(brokerUrl: string): Check {
  return async (signal) => {
    const response = await fetch(brokerUrl, { signal });
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`answered ${response.status}`);
  };
}
