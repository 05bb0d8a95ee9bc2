import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { GSI1, gsi1Partitions, keys } from '../table.ts';
import type { CredentialStore } from './credentials.ts';
import { readAccount, toAccount } from './record.ts';
import { sessionExpiryMs } from './session.ts';
import type { Account, AccountSource, BrokerCredentials, BrokerSession } from './types.ts';

/** Letters, digits, `-` and `_`: it stands in keys, secret names and Redis names. */
export const accountIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'expected 1-32 of A-Z a-z 0-9 _ -');

export class AccountExistsError extends Error {
  readonly code = 'account_exists';
}

export class AccountNotFoundError extends Error {
  readonly code = 'account_not_found';
}

/** Accounts in the table; their secrets in the credential store. */
export class AccountRepository implements AccountSource {
  readonly #table: string;
  readonly #client: DynamoDBDocumentClient;
  readonly #secrets: CredentialStore;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, tableName: string, credentials: CredentialStore, clock: Clock) {
    this.#client = client;
    this.#table = tableName;
    this.#secrets = credentials;
    this.#clock = clock;
  }

  /**
   * Stores the secrets, then the account, which starts in need of a login.
   * @throws AccountExistsError
   */
  async create(accountId: string, credentials: BrokerCredentials): Promise<Account> {
    if ((await this.get(accountId)) !== undefined) throw new AccountExistsError(accountId);
    await this.#secrets.writeCredentials(accountId, credentials);
    const account: Account = {
      account_id: accountId,
      user_id: credentials.user_id,
      api_key: credentials.api_key,
      session_version: 0,
      status: 'login_required',
      created_at: new Date(this.#clock.nowMs()).toISOString(),
    };
    const index = { gsi1pk: gsi1Partitions.accounts, gsi1sk: accountId };
    await this.#client
      .send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...keys.account(accountId), ...index, ...account },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      )
      .catch((error) => {
        throw error instanceof ConditionalCheckFailedException ? new AccountExistsError(accountId) : error;
      });
    return account;
  }

  /** Strongly consistent. */
  async get(accountId: string): Promise<Account | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: keys.account(accountId), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : toAccount(Item);
  }

  /**
   * By account_id; an index read, so a new account may take a moment to appear.
   * @param onUnreadable hears of each account that this version does not understand: it keeps no other one back
   */
  async listAccounts(onUnreadable?: (accountId: string, problem: string) => void): Promise<Account[]> {
    const accounts: Account[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: GSI1,
          KeyConditionExpression: 'gsi1pk = :accounts',
          ExpressionAttributeValues: { ':accounts': gsi1Partitions.accounts },
          ExclusiveStartKey: start,
        }),
      );
      for (const item of page.Items ?? []) {
        const account = readAccount(item);
        if (account instanceof z.ZodError) onUnreadable?.(String(item.gsi1sk), z.prettifyError(account));
        else accounts.push(account);
      }
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return accounts;
  }

  async readSession(accountId: string): Promise<BrokerSession | undefined> {
    return this.#secrets.readSession(accountId);
  }

  /**
   * A new token from a login: the secret first, so that whoever sees the new version finds it.
   * @throws AccountNotFoundError
   */
  async saveSession(accountId: string, accessToken: string): Promise<BrokerSession> {
    const account = await this.get(accountId);
    if (account === undefined) throw new AccountNotFoundError(accountId);
    const session_version = account.session_version + 1;
    const session = { api_key: account.api_key, access_token: accessToken, session_version };
    const nowMs = this.#clock.nowMs();
    await this.#secrets.writeSession(accountId, session);
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: keys.account(accountId),
        UpdateExpression:
          'SET session_version = :new, session_expires_at_ms = :expires, #status = :status, session_change = :change',
        ConditionExpression: 'session_version = :seen',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':new': session_version,
          ':seen': account.session_version,
          ':expires': sessionExpiryMs(nowMs),
          ':change': { change_id: randomUUID(), changed_at: new Date(nowMs).toISOString() },
          ':status': account.status === 'disabled' ? 'disabled' : 'active',
        },
      }),
    );
    return session;
  }
}
