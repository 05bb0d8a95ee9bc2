import { DynamoDBServiceException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { secretsManagerClient } from '#shared/aws.ts';
import { type Clock, systemClock } from '#shared/clock.ts';
import type { FeedMode } from '#shared/market/instrument.ts';
import { SubscriptionCommit } from '#shared/subscriptions/commit.ts';
import { Placement } from '#shared/subscriptions/placement.ts';
import { SubscriptionRepository } from '#shared/subscriptions/repository.ts';
import { Reservations } from '#shared/subscriptions/reservations.ts';
import { Subscriber } from '#shared/subscriptions/subscriber.ts';
import { anInstrument } from '../unit/shared/market/an-instrument.ts';
import { type ScratchTable, scratchTable } from './scratch-table.ts';

/** What goes wrong with a transaction, before it reaches the store or after the store took it. */
export interface WriteFault {
  readonly times: number;
  readonly before?: () => Error;
  readonly after?: () => Error;
}

const inDynamo = { $metadata: {}, $fault: 'client' as const };

export const conflict = () =>
  new TransactionCanceledException({
    $metadata: {},
    message: 'others are writing',
    CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
  });
export const refused = () =>
  new DynamoDBServiceException({ ...inDynamo, name: 'ValidationException', message: 'not like this' });
export const lost = () => Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });

/** The subscriptions' whole way but the API, over a table of its own. */
export class SubscriptionDesk {
  readonly repository: SubscriptionRepository;
  readonly reservations: Reservations;
  readonly accounts: AccountRepository;
  readonly #table: ScratchTable;
  readonly subscriber: Subscriber;

  static async open(
    capacity: number,
    accountIds: readonly string[],
    clock: Clock = systemClock(),
  ): Promise<SubscriptionDesk> {
    const desk = new SubscriptionDesk(await scratchTable(), capacity, clock);
    for (const accountId of accountIds) await desk.addAccount(accountId);
    return desk;
  }

  private constructor(table: ScratchTable, capacity: number, clock: Clock) {
    this.#table = table;
    this.repository = new SubscriptionRepository(table.client, table.name);
    this.reservations = new Reservations(table.client, table.name);
    const secrets = new CredentialStore(secretsManagerClient(), table.name);
    this.accounts = new AccountRepository(table.client, table.name, secrets, clock);
    const { repository, reservations, accounts } = this;
    const placement = new Placement({ accounts, reservations, capacity, clock });
    const commit = new SubscriptionCommit(table.client, table.name, repository);
    this.subscriber = new Subscriber({ repository, commit, placement, clock });
  }

  async addAccount(accountId: string): Promise<void> {
    await this.accounts.create(accountId, { api_key: 'key', api_secret: 'secret', user_id: 'U' });
    await this.accounts.saveSession(accountId, 'token');
  }

  /** Every transaction from now on meets the fault, as often as it says; what emulators never do by themselves. */
  onWrite({ times, before, after }: WriteFault): { left: number } {
    const armed = { left: times };
    this.#table.client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== 'TransactWriteItemsCommand' || armed.left === 0) return next(args);
        armed.left -= 1;
        if (before !== undefined) throw before();
        const answer = await next(args);
        if (after !== undefined) throw after();
        return answer;
      },
      { step: 'initialize' },
    );
    return armed;
  }

  subscribe(owner: string, instrument_token: number, mode: FeedMode = 'full', accountId?: string) {
    const instrument = anInstrument({ instrument_token, tradingsymbol: `S${instrument_token}` });
    return this.subscriber.subscribe({ owner, instrument, mode, accountId });
  }

  unsubscribe(owner: string, instrumentToken: number) {
    return this.subscriber.unsubscribe(owner, instrumentToken);
  }

  async reserved(accountId: string): Promise<number> {
    return (await this.reservations.reservedOf([accountId])).get(accountId)!;
  }

  async tokensOf(accountId: string): Promise<number[]> {
    const rows = await this.repository.listForAccount(accountId);
    return rows.map(({ instrument_token }) => instrument_token);
  }

  close(): Promise<void> {
    return this.#table.drop();
  }
}
