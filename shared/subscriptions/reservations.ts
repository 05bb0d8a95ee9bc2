import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { batchGetAll } from '../dynamo.ts';
import { accountPk, keys } from '../table.ts';

/** Each account's counter of promised instruments. */
export class Reservations {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#table = tableName;
  }

  /** One conditional ADD; false when the account is full. */
  async reserve(accountId: string, capacity: number): Promise<boolean> {
    if (capacity < 1) return false;
    try {
      await this.#add(accountId, 1, 'attribute_not_exists(reserved) OR reserved < :bound', capacity);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Never below zero: giving back once too often must not invent room. */
  async giveBack(accountId: string): Promise<void> {
    try {
      await this.#add(accountId, -1, 'reserved > :bound', 0);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** 0 for an account that never reserved. */
  async reservedOf(accountIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const items = await batchGetAll(
      this.#client,
      this.#table,
      accountIds.map((accountId) => keys.capacity(accountId)),
    );
    const byPk = new Map(items.map((item) => [item.pk, Number(item.reserved)]));
    return new Map(accountIds.map((accountId) => [accountId, byPk.get(accountPk(accountId)) ?? 0]));
  }

  async #add(accountId: string, delta: number, condition: string, bound: number): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: keys.capacity(accountId),
        UpdateExpression: 'ADD reserved :delta',
        ConditionExpression: condition,
        ExpressionAttributeValues: { ':delta': delta, ':bound': bound },
      }),
    );
  }
}
