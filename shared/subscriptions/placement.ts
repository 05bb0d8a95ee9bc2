import type { AccountRepository } from '../accounts/repository.ts';
import { hasLiveSession } from '../accounts/session.ts';
import type { Clock } from '../clock.ts';
import { rankAccounts } from './choice.ts';
import { SubscriptionError } from './errors.ts';
import type { Reservations } from './reservations.ts';

export interface PlacementParts {
  readonly accounts: Pick<AccountRepository, 'get' | 'listAccounts'>;
  readonly reservations: Reservations;
  /** Instruments an account may promise. */
  readonly capacity: number;
  readonly clock: Clock;
}

/** Finds an account for one more instrument and reserves its place. */
export class Placement {
  readonly #parts: PlacementParts;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
  }

  /**
   * @returns the account whose counter was raised by one
   * @throws SubscriptionError
   */
  async reserve(wantedAccountId: string | undefined): Promise<string> {
    if (wantedAccountId === undefined) return this.#reserveBest();
    const account = await this.#parts.accounts.get(wantedAccountId);
    if (account === undefined) {
      throw new SubscriptionError('account_not_found', `there is no account ${wantedAccountId}`);
    }
    if (account.status === 'disabled') {
      throw new SubscriptionError('account_disabled', `account ${wantedAccountId} is disabled`);
    }
    if (await this.#reserveOn(wantedAccountId)) return wantedAccountId;
    throw new SubscriptionError(
      'account_full',
      `account ${wantedAccountId} streams its ${this.#parts.capacity} instruments already`,
    );
  }

  async giveBack(accountId: string): Promise<void> {
    await this.#parts.reservations.giveBack(accountId);
  }

  async #reserveBest(): Promise<string> {
    const { accounts, reservations, capacity, clock } = this.#parts;
    const all = await accounts.listAccounts();
    const reserved = await reservations.reservedOf(all.map((account) => account.account_id));
    const nowMs = clock.nowMs();
    const candidates = all.map((account) => ({
      account_id: account.account_id,
      hasLiveSession: hasLiveSession(account, nowMs),
      reserved: reserved.get(account.account_id) ?? 0,
    }));
    // The counts were read a moment ago: the next best one stands in for an account that filled up since.
    for (const accountId of rankAccounts(candidates, capacity)) {
      if (await this.#reserveOn(accountId)) return accountId;
    }
    const live = candidates.filter((candidate) => candidate.hasLiveSession).length;
    throw new SubscriptionError(
      'no_account_available',
      live === 0
        ? `none of ${all.length} accounts has a live broker session`
        : `each of ${live} accounts with a live session streams its ${capacity} instruments already`,
    );
  }

  #reserveOn(accountId: string): Promise<boolean> {
    return this.#parts.reservations.reserve(accountId, this.#parts.capacity);
  }
}
