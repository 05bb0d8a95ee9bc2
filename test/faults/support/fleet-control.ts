import { randomUUID } from 'node:crypto';
import { BatchWriteCommand, DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import type { Clock } from '#shared/clock.ts';
import type { Item } from '#shared/dynamo.ts';
import type { FeedMode, Instrument } from '#shared/market/instrument.ts';
import { inParallel } from '#shared/parallel.ts';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import { transactItems } from '#shared/subscriptions/writes.ts';
import { keys } from '#shared/table.ts';
import type { FleetAws } from './fleet-aws.ts';
import { postJson } from './sent.ts';

export const FLEET_STAGE = 'local';
/** DynamoDB's limit of one BatchWriteItem. */
const BATCH_ITEMS = 25;
const PARALLEL_BATCHES = 4;

/** A broker login of the fleet's simulator, and its account in the table. */
export interface FleetAccount {
  readonly account_id: string;
  readonly user_id: string;
  readonly api_key: string;
}

/** What the control plane writes: accounts and sessions through the repository, subscriptions in bulk. */
export class FleetControl {
  readonly accounts: AccountRepository;
  readonly credentials: CredentialStore;
  readonly #aws: FleetAws;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #simulatorUrl: string;

  constructor(aws: FleetAws, table: string, clock: Clock, simulatorUrl: string) {
    this.#aws = aws;
    this.#table = table;
    this.#clock = clock;
    this.#simulatorUrl = simulatorUrl;
    this.credentials = new CredentialStore(aws.secrets, FLEET_STAGE);
    this.accounts = new AccountRepository(aws.document, table, this.credentials, clock);
  }

  /** An account with a session. */
  async addAccount(account: FleetAccount): Promise<void> {
    const { account_id, user_id, api_key } = account;
    const credentials = { user_id, api_key, api_secret: 'fleetsecret' };
    await postJson(`${this.#simulatorUrl}/_sim/accounts`, credentials);
    await this.accounts.create(account_id, credentials);
    await this.login(account);
  }

  /** The account's item goes, as by an operator; its subscriptions' rows stay. */
  async deleteAccount({ account_id }: FleetAccount): Promise<void> {
    await this.#aws.document.send(
      new DeleteCommand({ TableName: this.#table, Key: keys.account(account_id) }),
    );
  }

  /** A session of the broker's (the live one where there is one), saved as the account's newest. */
  async login({ account_id, api_key }: FleetAccount): Promise<void> {
    const { access_token } = await postJson(`${this.#simulatorUrl}/_sim/sessions`, { api_key });
    await this.accounts.saveSession(account_id, access_token!);
  }

  /** The broker ends every session of the user; the table knows nothing of it. */
  async logout({ user_id }: FleetAccount): Promise<void> {
    await fetch(`${this.#simulatorUrl}/_sim/sessions/${user_id}`, { method: 'DELETE' });
  }

  /** The items of first claims on these instruments, as the subscriber's transactions would write them. */
  async subscribe(
    { account_id }: FleetAccount,
    instruments: readonly Instrument[],
    mode: FeedMode = 'full',
  ): Promise<void> {
    const items = instruments.flatMap((instrument) => this.#itemsOf(account_id, instrument, mode));
    await this.#batchWrite(items.map((Item) => ({ PutRequest: { Item } })));
    await this.#raiseMark(account_id);
  }

  /** Ends the rows under the account; the subscriptions' own records stay as they are. */
  async unsubscribe({ account_id }: FleetAccount, instruments: readonly Instrument[]): Promise<void> {
    const rows = instruments.map((each) => keys.accountSubscription(account_id, each.instrument_token));
    await this.#batchWrite(rows.map((Key) => ({ DeleteRequest: { Key: { ...Key } } })));
    await this.#raiseMark(account_id);
  }

  #itemsOf(account_id: string, instrument: Instrument, mode: FeedMode): Item[] {
    const now = new Date(this.#clock.nowMs()).toISOString();
    const after: SubscriptionRecord = {
      instrument_token: instrument.instrument_token,
      account_id,
      mode,
      status: 'active',
      version: 1,
      revision: 1,
      change_id: randomUUID(),
      instrument,
      created_at: now,
      updated_at: now,
    };
    const claim = { put: { owner: 'fleet', mode, created_at: now } };
    const writes = transactItems(this.#table, { before: undefined, after, claim });
    return writes.flatMap(({ Put }) => (Put?.Item === undefined ? [] : [Put.Item]));
  }

  async #batchWrite(requests: readonly object[]): Promise<void> {
    const chunks = Array.from({ length: Math.ceil(requests.length / BATCH_ITEMS) }, (_, index) =>
      requests.slice(index * BATCH_ITEMS, (index + 1) * BATCH_ITEMS),
    );
    await inParallel(PARALLEL_BATCHES, chunks, async (chunk) => {
      let pending: object[] = [...chunk];
      while (pending.length > 0) {
        const { UnprocessedItems } = await this.#aws.document.send(
          new BatchWriteCommand({ RequestItems: { [this.#table]: pending } }),
        );
        pending = UnprocessedItems?.[this.#table] ?? [];
      }
    });
  }

  async #raiseMark(accountId: string): Promise<void> {
    await this.#aws.document.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: keys.dirty(accountId),
        UpdateExpression: 'ADD #mark :one',
        ExpressionAttributeNames: { '#mark': 'mark' },
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );
  }
}
