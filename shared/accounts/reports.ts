import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { cancellationCodes } from '../dynamo.ts';
import { keys } from '../table.ts';
import type { Account, AccountFeed, SessionChange } from './types.ts';

/** What a streamer tells the control plane of its accounts; the answers say whether it was news to the table. */
export interface AccountReports {
  /** The broker takes the token of this version no more; a newer login is never overwritten. */
  sessionDied(accountId: string, version: number, change: SessionChange): Promise<boolean>;
  /** The broker took a token again that was reported dead. */
  sessionLives(accountId: string, version: number, change: SessionChange): Promise<boolean>;
  /** False where the account is gone or its lease is another's by now: then the report is void. */
  feedChanged(accountId: string, feed: AccountFeed): Promise<boolean>;
}

/** Reports as conditional writes to the account's item; the table's stream tells them on. */
export class AccountReportRepository implements AccountReports {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#table = tableName;
  }

  sessionDied(accountId: string, version: number, change: SessionChange): Promise<boolean> {
    return this.#changeStatus(accountId, version, { from: 'active', to: 'login_required', change });
  }

  sessionLives(accountId: string, version: number, change: SessionChange): Promise<boolean> {
    return this.#changeStatus(accountId, version, { from: 'login_required', to: 'active', change });
  }

  async feedChanged(accountId: string, feed: AccountFeed): Promise<boolean> {
    const update = {
      TableName: this.#table,
      Key: keys.account(accountId),
      UpdateExpression: 'SET feed = :feed',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':feed': feed },
    };
    const holdsLease = {
      TableName: this.#table,
      Key: keys.lease(accountId),
      ConditionExpression: 'lease = :lease',
      ExpressionAttributeValues: { ':lease': feed.lease },
    };
    try {
      await this.#client.send(
        new TransactWriteCommand({ TransactItems: [{ Update: update }, { ConditionCheck: holdsLease }] }),
      );
      return true;
    } catch (error) {
      if (cancellationCodes(error)?.includes('ConditionalCheckFailed')) return false;
      throw error;
    }
  }

  async #changeStatus(
    accountId: string,
    version: number,
    { from, to, change }: { from: Account['status']; to: Account['status']; change: SessionChange },
  ): Promise<boolean> {
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: keys.account(accountId),
          UpdateExpression: 'SET #status = :to, session_change = :change',
          ConditionExpression: 'session_version = :version AND #status = :from',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':version': version, ':from': from, ':to': to, ':change': change },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
