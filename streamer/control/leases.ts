import type { Lease, LeaseRepository } from '#shared/accounts/leases.ts';
import type { Account } from '#shared/accounts/types.ts';
import type { Clock } from '#shared/clock.ts';

export type LeaseStore = Pick<LeaseRepository, 'acquire' | 'renew' | 'release'>;

export interface LeaseKeeperSettings {
  readonly holder: string;
  /** A lease counts as lost so long before others may take it: what is under way then still ends in time. */
  readonly safetyMs: number;
  /** Accounts that this process holds at most. */
  readonly maxAccounts: number;
}

export interface LeaseKeeperEvents {
  onAcquired(account: Account, lease: number): void;
  onLost(accountId: string): Promise<void>;
}

/** Takes and renews the leases of accounts that have a session; says at any moment which ones it holds. */
export class LeaseKeeper {
  readonly #repository: LeaseStore;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #settings: LeaseKeeperSettings;
  readonly #events: LeaseKeeperEvents;
  readonly #held = new Map<string, Lease>();

  constructor(
    repository: LeaseStore,
    clock: Pick<Clock, 'wallMs'>,
    settings: LeaseKeeperSettings,
    events: LeaseKeeperEvents,
  ) {
    this.#repository = repository;
    this.#clock = clock;
    this.#settings = settings;
    this.#events = events;
  }

  /** The lease's number while it is safely held. */
  held(accountId: string): number | undefined {
    const lease = this.#held.get(accountId);
    if (lease === undefined || this.#clock.wallMs() >= lease.expiresAtMs - this.#settings.safetyMs) {
      return undefined;
    }
    return lease.lease;
  }

  /** One round over the accounts that shall stream. */
  async keep(accounts: readonly Account[]): Promise<void> {
    const wanted = new Map(accounts.map((account) => [account.account_id, account]));
    for (const [accountId, lease] of this.#held) {
      if (!wanted.has(accountId)) await this.#giveUp(lease);
      else await this.#renew(lease);
    }
    for (const account of wanted.values()) {
      if (this.#held.has(account.account_id) || this.#held.size >= this.#settings.maxAccounts) continue;
      const lease = await this.#repository.acquire(account.account_id, this.#settings.holder);
      if (lease === undefined) continue;
      this.#held.set(account.account_id, lease);
      this.#events.onAcquired(account, lease.lease);
    }
  }

  async releaseAll(): Promise<void> {
    for (const lease of [...this.#held.values()]) await this.#giveUp(lease);
  }

  async #renew(lease: Lease): Promise<void> {
    const renewed = await this.#repository.renew(lease, this.#settings.holder);
    if (renewed !== undefined) {
      this.#held.set(lease.accountId, renewed);
      return;
    }
    this.#held.delete(lease.accountId);
    await this.#events.onLost(lease.accountId);
  }

  /** What streams stops first: nobody may take the lease while this process still publishes. */
  async #giveUp(lease: Lease): Promise<void> {
    await this.#events.onLost(lease.accountId);
    this.#held.delete(lease.accountId);
    await this.#repository.release(lease, this.#settings.holder);
  }
}
