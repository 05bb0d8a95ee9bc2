import type { Account, AccountSource, BrokerSession } from '#shared/accounts/types.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { AccountSubscription, SubscriptionSource } from '#shared/subscriptions/types.ts';
import { MemoryAccounts, MemorySubscriptions } from '#test/support/memory-sources.ts';
import { postJson } from './sent.ts';

interface OneAccount {
  readonly accounts: MemoryAccounts;
  readonly subscriptions: MemorySubscriptions;
}

/** Several accounts of one streamer, each with a user, a session and instruments of its own. */
export class SeveralAccounts implements AccountSource, SubscriptionSource {
  readonly #all = new Map<string, OneAccount>();

  /** @param accountId letters and digits; it becomes the user and the app too */
  async add(simulatorUrl: string, accountId: string, instruments: readonly Instrument[]): Promise<void> {
    const app = { user_id: accountId.toUpperCase(), api_key: `${accountId}key`, api_secret: 'secret' };
    await postJson(`${simulatorUrl}/_sim/accounts`, app);
    const { access_token } = await postJson(`${simulatorUrl}/_sim/sessions`, { api_key: app.api_key });
    const session = { api_key: app.api_key, access_token: access_token!, session_version: 1 };
    const subscriptions = new MemorySubscriptions();
    subscriptions.set(instruments, 'full');
    this.#all.set(accountId, { accounts: new MemoryAccounts(accountId, session), subscriptions });
  }

  async listAccounts(): Promise<Account[]> {
    const lists = [...this.#all.values()].map(({ accounts }) => accounts.listAccounts());
    return (await Promise.all(lists)).flat();
  }

  async readSession(accountId: string): Promise<BrokerSession | undefined> {
    return this.#all.get(accountId)?.accounts.readSession();
  }

  async dirtyMark(accountId: string): Promise<number> {
    return this.#of(accountId).dirtyMark();
  }

  async listForAccount(accountId: string): Promise<AccountSubscription[]> {
    return this.#of(accountId).listForAccount();
  }

  async getForAccount(accountId: string, tokens: readonly number[]): Promise<AccountSubscription[]> {
    return this.#of(accountId).getForAccount(accountId, tokens);
  }

  #of(accountId: string): MemorySubscriptions {
    const found = this.#all.get(accountId);
    if (found === undefined) throw new Error(`no account ${accountId}`);
    return found.subscriptions;
  }
}
