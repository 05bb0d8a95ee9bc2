import { createHash, randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import {
  batchGetAll,
  cancellationCodes,
  type Item,
  isConflict,
  jitteredPause,
  queryAll,
} from '#shared/dynamo.ts';
import { GSI1, gsi1Partitions, keys, OPEN_TASKS_PK } from '#shared/table.ts';
import { isFinal, type TaskState } from './life-cycle.ts';
import { taskKeys, toTask } from './record.ts';
import type { OrderRequest } from './request.ts';
import type { Task } from './types.ts';

/** Seconds that an idempotency key is remembered: 7 days. */
const IDEMPOTENCY_LIFE_S = 7 * 86_400;
const CONFLICT_ATTEMPTS = 6;

/** Somebody else changed the task since it was read. */
export class VersionConflictError extends Error {
  override readonly name = 'VersionConflictError';
}

/** The key was used before, for another order. */
export class IdempotencyKeyReusedError extends Error {
  override readonly name = 'IdempotencyKeyReusedError';
}

export interface Page {
  readonly items: readonly Task[];
  /** The task to go on after; undefined at the end. */
  readonly next: string | undefined;
}

export interface ListQuery {
  readonly limit: number;
  readonly status?: readonly TaskState[] | undefined;
  /** A task id: only what stands behind it in the list. */
  readonly after?: string | undefined;
}

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** Tasks in the one table. Every write is conditional; every read but the list is strongly consistent. */
export class TaskRepository {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#table = tableName;
  }

  /**
   * Stores the task and its idempotency key at once, or gives the task that the key made before.
   * @throws IdempotencyKeyReusedError
   */
  async create(task: Task, idempotencyKey?: string): Promise<Task> {
    const key =
      idempotencyKey === undefined
        ? undefined
        : keys.idempotency(task.owner, task.account_id, idempotencyKey);
    const items = [
      ...this.#newTaskItems(task),
      ...(key === undefined ? [] : [this.#idempotencyItem({ ...key }, task)]),
    ];
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#client.send(new TransactWriteCommand({ TransactItems: items }));
        return task;
      } catch (error) {
        const earlier = await this.#standing(task, idempotencyKey, error);
        if (earlier !== undefined) return earlier;
        if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
        await jitteredPause(attempt);
      }
    }
  }

  /**
   * The task that this caller's key made before; undefined when it made none, or none within its life.
   * @throws IdempotencyKeyReusedError
   */
  async madeBefore(
    owner: string,
    request: OrderRequest,
    idempotencyKey: string | undefined,
    wallMs: number,
  ): Promise<Task | undefined> {
    if (idempotencyKey === undefined) return undefined;
    const used = await this.#item(keys.idempotency(owner, request.account_id, idempotencyKey));
    if (used === undefined || Number(used.expires_at_s) < Math.floor(wallMs / 1_000)) return undefined;
    if (used.fingerprint !== fingerprint(request))
      throw new IdempotencyKeyReusedError('the Idempotency-Key was used before, for another order');
    return this.get(String(used.task_id));
  }

  async get(taskId: string): Promise<Task | undefined> {
    const item = await this.#item(keys.task(taskId));
    return item === undefined ? undefined : toTask(item);
  }

  /**
   * Stores the next version of a task. Its own write that came through although the answer was lost counts as done.
   * @throws VersionConflictError
   */
  async save(next: Task): Promise<Task> {
    const writeId = randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#put(next, writeId);
        return next;
      } catch (error) {
        if (isVersionConflict(error)) return await this.#ownWrite(next, writeId);
        if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
        await jitteredPause(attempt);
      }
    }
  }

  /**
   * The account's tasks, newest first; an index read, so a new task may take a moment to appear. A page may hold
   * fewer than `limit` when a status is asked for.
   */
  async list(accountId: string, { limit, status, after }: ListQuery): Promise<Page> {
    const page = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: GSI1,
        KeyConditionExpression: 'gsi1pk = :account',
        ExpressionAttributeValues: { ':account': gsi1Partitions.accountTasks(accountId) },
        ScanIndexForward: false,
        Limit: limit,
        ExclusiveStartKey:
          after === undefined ? undefined : taskKeys({ task_id: after, account_id: accountId }),
      }),
    );
    const tasks = (page.Items ?? []).map(toTask);
    const items = status === undefined ? tasks : tasks.filter((task) => status.includes(task.status));
    return { items, next: page.LastEvaluatedKey === undefined ? undefined : tasks.at(-1)?.task_id };
  }

  /** All tasks that are not final and whose id is below `beforeTaskId` (ids sort by time). */
  async listOpen(beforeTaskId: string): Promise<Task[]> {
    const rows = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :open AND sk < :before',
      ExpressionAttributeValues: { ':open': OPEN_TASKS_PK, ':before': beforeTaskId },
    });
    const items = await batchGetAll(
      this.#client,
      this.#table,
      rows.map(({ sk }) => keys.task(String(sk))),
    );
    return items.map(toTask);
  }

  async #put(next: Task, writeId: string): Promise<void> {
    const put = {
      TableName: this.#table,
      Item: { ...taskKeys(next), ...next, write_id: writeId },
      ConditionExpression: 'version = :seen',
      ExpressionAttributeValues: { ':seen': next.version - 1 },
    };
    if (!isFinal(next.status)) {
      await this.#client.send(new PutCommand(put));
      return;
    }
    const Delete = { TableName: this.#table, Key: keys.openTask(next.task_id) };
    await this.#client.send(new TransactWriteCommand({ TransactItems: [{ Put: put }, { Delete }] }));
  }

  /** @throws VersionConflictError */
  async #ownWrite(next: Task, writeId: string): Promise<Task> {
    const stored = await this.#item(keys.task(next.task_id));
    if (stored?.version === next.version && stored.write_id === writeId) return next;
    throw new VersionConflictError(`task ${next.task_id} is no longer at version ${next.version - 1}`);
  }

  #newTaskItems(task: Task): TransactItem[] {
    const isNew = 'attribute_not_exists(pk)';
    return [
      { Put: { TableName: this.#table, Item: { ...taskKeys(task), ...task }, ConditionExpression: isNew } },
      { Put: { TableName: this.#table, Item: { ...keys.openTask(task.task_id) } } },
    ];
  }

  /** DynamoDB deletes expired items late, so one that is past its time may be written over. */
  #idempotencyItem(key: Item, task: Task): TransactItem {
    const nowS = Math.floor(task.updated_at_ms / 1_000);
    return {
      Put: {
        TableName: this.#table,
        Item: {
          ...key,
          task_id: task.task_id,
          fingerprint: fingerprint(task.request),
          expires_at_s: nowS + IDEMPOTENCY_LIFE_S,
        },
        ConditionExpression: 'attribute_not_exists(pk) OR expires_at_s < :now',
        ExpressionAttributeValues: { ':now': nowS },
      },
    };
  }

  /** After a refused transaction: what stands already, if that is why. */
  async #standing(task: Task, idempotencyKey: string | undefined, error: unknown): Promise<Task | undefined> {
    if (cancellationCodes(error) === undefined) return undefined;
    const { task_id, owner, request, updated_at_ms } = task;
    return (await this.get(task_id)) ?? this.madeBefore(owner, request, idempotencyKey, updated_at_ms);
  }

  async #item(key: { pk: string; sk: string }): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true }),
    );
    return Item;
  }
}

function isVersionConflict(error: unknown): boolean {
  return (
    error instanceof ConditionalCheckFailedException ||
    cancellationCodes(error)?.includes('ConditionalCheckFailed') === true
  );
}

/** The same for the same order, whatever the sequence of its fields. */
export function fingerprint(request: OrderRequest): string {
  const entries = Object.entries(request).filter(([, value]) => value !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}
