import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { Key } from './table.ts';

export type Item = Record<string, unknown>;

/** Every page of a query. */
export async function queryAll(client: DynamoDBDocumentClient, query: QueryCommandInput): Promise<Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await client.send(new QueryCommand({ ...query, ExclusiveStartKey: start }));
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return items;
}

/** DynamoDB's limit of one BatchGetItem. */
const BATCH_GET_KEYS = 100;
const BATCH_GET_ATTEMPTS = 8;

/** The items that exist, in any order, strongly consistent; what the store leaves unprocessed is asked for again. */
export async function batchGetAll(
  client: DynamoDBDocumentClient,
  tableName: string,
  keys: readonly Key[],
): Promise<Item[]> {
  const chunks = Array.from({ length: Math.ceil(keys.length / BATCH_GET_KEYS) }, (_, index) =>
    keys.slice(index * BATCH_GET_KEYS, (index + 1) * BATCH_GET_KEYS),
  );
  const items: Item[] = [];
  for (const chunk of chunks) items.push(...(await batchGet(client, tableName, chunk)));
  return items;
}

async function batchGet(
  client: DynamoDBDocumentClient,
  tableName: string,
  keys: readonly Key[],
): Promise<Item[]> {
  const items: Item[] = [];
  let pending: Item[] = keys.map((key) => ({ ...key }));
  for (let attempt = 0; pending.length > 0; attempt += 1) {
    if (attempt === BATCH_GET_ATTEMPTS)
      throw new Error(`${pending.length} keys of ${tableName} stay unprocessed`);
    if (attempt > 0) await jitteredPause(attempt);
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetCommand({ RequestItems: { [tableName]: { Keys: pending, ConsistentRead: true } } }),
    );
    items.push(...(Responses?.[tableName] ?? []));
    pending = UnprocessedKeys?.[tableName]?.Keys ?? [];
  }
  return items;
}

const PAUSE_BASE_MS = 10;
const PAUSE_MAX_MS = 500;

/** Full jitter: anything from 0 to min(10 ms x 2^attempt, 500 ms). */
export function jitteredPause(attempt: number, random: () => number = Math.random): Promise<void> {
  const ms = random() * Math.min(PAUSE_BASE_MS * 2 ** attempt, PAUSE_MAX_MS);
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const CONFLICT_NAMES = new Set(['TransactionConflictException', 'TransactionInProgressException']);
const CONFLICT_CODES = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** The reasons of a cancelled transaction, one an item; undefined for any other error. */
export function cancellationCodes(error: unknown): readonly string[] | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  return (error.CancellationReasons ?? []).map((reason) => reason.Code ?? 'None');
}

/** True when nothing was written because somebody else was writing: the same request may be sent again. */
export function isConflict(error: unknown): boolean {
  if (error instanceof Error && CONFLICT_NAMES.has(error.name)) return true;
  const codes = cancellationCodes(error);
  return codes?.some((code) => CONFLICT_CODES.has(code)) ?? false;
}
