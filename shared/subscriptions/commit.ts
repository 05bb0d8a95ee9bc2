import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { cancellationCodes, isConflict } from '../dynamo.ts';
import type { SubscriptionRepository } from './repository.ts';
import { type SubscriptionChange, transactItems } from './writes.ts';

/** Sends one change as a transaction and finds out what became of it. */
export class SubscriptionCommit {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #repository: Pick<SubscriptionRepository, 'load'>;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    repository: Pick<SubscriptionRepository, 'load'>,
  ) {
    this.#client = client;
    this.#table = tableName;
    this.#repository = repository;
  }

  /**
   * False: nothing was written because the subscription changed since it was read, or others were writing; plan anew.
   * An error that `wasRefused` says the same for good; any other leaves open whether the write will show.
   */
  async commit(change: SubscriptionChange): Promise<boolean> {
    try {
      await this.#client.send(
        new TransactWriteCommand({ TransactItems: transactItems(this.#table, change) }),
      );
      return true;
    } catch (error) {
      if (isConflict(error) || cancellationCodes(error)?.[0] === 'ConditionalCheckFailed') {
        // A resent transaction whose first answer was lost is refused by its own first success.
        return this.#isWritten(change);
      }
      if (!wasRefused(error) && (await this.#isWritten(change))) return true;
      throw error;
    }
  }

  async #isWritten(change: SubscriptionChange): Promise<boolean> {
    const loaded = await this.#repository.load(change.after.instrument_token);
    return loaded?.record.change_id === change.after.change_id;
  }
}

/** DynamoDB answered that it did not take the write; a time-out or a server's error says nothing. */
export function wasRefused(error: unknown): boolean {
  return error instanceof DynamoDBServiceException && error.$fault === 'client';
}
