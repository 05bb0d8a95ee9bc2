import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { batchGetAll, type Item, queryAll } from '../dynamo.ts';
import { accountPk, GSI1, gsi1Partitions, keys, SUBSCRIPTION_SK_PREFIX } from '../table.ts';
import {
  accountSubscriptionSchema,
  claimSchema,
  type LoadedSubscription,
  type SubscriptionRecord,
  subscriptionRecordSchema,
} from './record.ts';
import type { AccountSubscription, SubscriptionSource } from './types.ts';
import { indexKeyOf } from './writes.ts';

/** Reads of the subscriptions; `SubscriptionWriter` changes them. */
export class SubscriptionRepository implements SubscriptionSource {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#table = tableName;
  }

  async dirtyMark(accountId: string): Promise<number> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keys.dirty(accountId), ConsistentRead: true }),
    );
    return Item === undefined ? 0 : Number(Item.mark);
  }

  async listForAccount(accountId: string): Promise<AccountSubscription[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': accountPk(accountId), ':prefix': SUBSCRIPTION_SK_PREFIX },
    });
    return items.map((item) => accountSubscriptionSchema.parse(item));
  }

  async getForAccount(
    accountId: string,
    instrumentTokens: readonly number[],
  ): Promise<AccountSubscription[]> {
    const wanted = [...new Set(instrumentTokens)].map((token) => keys.accountSubscription(accountId, token));
    const items = await batchGetAll(this.#client, this.#table, wanted);
    return items.map((item) => accountSubscriptionSchema.parse(item));
  }

  /** Subscription and claims in one consistent read; undefined where the instrument was never subscribed. */
  async load(instrumentToken: number): Promise<LoadedSubscription | undefined> {
    const { pk, sk } = keys.subscription(instrumentToken);
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
    });
    const own = items.find((item) => item.sk === sk);
    if (own === undefined) return undefined;
    const claims = items.filter((item) => item !== own).map((item) => claimSchema.parse(item));
    return { record: subscriptionRecordSchema.parse(own), claims };
  }

  /** Active ones that `matches`, at most `limit`; an index read, so the newest may be missing for a moment. */
  async listActive(
    limit: number,
    matches: (record: SubscriptionRecord) => boolean,
    start?: Item,
  ): Promise<{ records: SubscriptionRecord[]; next: Item | undefined }> {
    const records: SubscriptionRecord[] = [];
    let next = start;
    do {
      const page = await this.#page(limit, next);
      for (const item of page.items) {
        const record = subscriptionRecordSchema.parse(item);
        if (!matches(record)) continue;
        records.push(record);
        if (records.length === limit) return { records, next: indexKeyOf(record) };
      }
      next = page.next;
    } while (next !== undefined);
    return { records, next: undefined };
  }

  async #page(limit: number, start: Item | undefined): Promise<{ items: Item[]; next: Item | undefined }> {
    const page = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: GSI1,
        KeyConditionExpression: 'gsi1pk = :partition',
        ExpressionAttributeValues: { ':partition': gsi1Partitions.subscriptions },
        Limit: Math.max(limit, 100),
        ExclusiveStartKey: start,
      }),
    );
    return { items: page.Items ?? [], next: page.LastEvaluatedKey };
  }
}
