import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { keys } from '../table.ts';
import type { AccountSubscription } from './types.ts';

/** Where streamers report the first tick of what they stream. */
export interface ActivationStore {
  /**
   * Marks the subscription, which the table's stream tells on, then the account's row, which spares the next streamer
   * the question. @returns whether it was news; false too when the row changed since it was read.
   */
  activate(accountId: string, row: AccountSubscription): Promise<boolean>;
}

export class ActivationRepository implements ActivationStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(client: DynamoDBDocumentClient, tableName: string, clock: Pick<Clock, 'nowMs'>) {
    this.#client = client;
    this.#table = tableName;
    this.#clock = clock;
  }

  async activate(accountId: string, { instrument_token, version }: AccountSubscription): Promise<boolean> {
    const isNews = await this.#update({
      Key: keys.subscription(instrument_token),
      UpdateExpression: 'SET activation = :activation',
      ConditionExpression:
        'version = :version AND account_id = :account AND #status = :active AND attribute_not_exists(activation)',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':activation': {
          version,
          change_id: randomUUID(),
          activated_at: new Date(this.#clock.nowMs()).toISOString(),
        },
        ':version': version,
        ':account': accountId,
        ':active': 'active',
      },
    });
    // Both carry the same version: a row that still does says that the subscription was refused for its mark alone.
    await this.#update({
      Key: keys.accountSubscription(accountId, instrument_token),
      UpdateExpression: 'SET activated_version = :version',
      ConditionExpression: 'version = :version',
      ExpressionAttributeValues: { ':version': version },
    });
    return isNews;
  }

  /** False where the condition does not hold. */
  async #update(update: Omit<UpdateCommandInput, 'TableName'>): Promise<boolean> {
    try {
      await this.#client.send(new UpdateCommand({ TableName: this.#table, ...update }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
