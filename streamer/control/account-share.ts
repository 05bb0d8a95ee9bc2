import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Account, AccountSource } from '#shared/accounts/types.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { within } from '#shared/within.ts';
import type { StreamerConfig } from '../config.ts';
import type { StreamerLogger } from '../log.ts';
import { leaseSettings } from '../settings.ts';
import { LeaseFence } from './fence.ts';
import { LeaseKeeper, type LeaseStore, type MemberStore } from './leases.ts';
import type { Loops } from './loops.ts';
import { nudgeStreamers } from './nudges.ts';
import type { GivenAway } from './plan.ts';
import type { WantedAccounts } from './wanted.ts';

export interface AccountShareParts {
  readonly config: StreamerConfig;
  readonly clock: SteadyClock;
  readonly logger: StreamerLogger;
  readonly accounts: Pick<AccountSource, 'listAccounts'>;
  readonly leases: LeaseStore;
  readonly members: MemberStore;
  readonly redis: Redis;
  readonly loops: Loops;
  /** Nothing is taken before. */
  ready(): Promise<void>;
}

export interface AccountShareEvents {
  onAcquired(account: Account, lease: number): void;
  onLost(accountId: string): void;
  /** The lease is held until this returns. */
  onGivingAway(accountId: string, why: GivenAway): Promise<void>;
  /** Seen in the list of accounts, and whoever holds it. */
  onSeen(account: Account): void;
}

const RENEWAL = 'lease renewal';
const DIVISION = 'lease division';
/** While another streamer gives accounts away. */
const HAND_OVER_LOOK_MS = 200;

/** This process's part of the accounts, kept up to date by loops of its own. */
export class AccountShare {
  readonly keeper: LeaseKeeper;
  /** Of this process alone: one that is started anew under the same id must not take over unasked. */
  readonly holder: string;
  readonly #parts: AccountShareParts;
  readonly #events: AccountShareEvents;
  #accounts: ReadonlyMap<string, Account> = new Map();
  hasSeenAccounts = false;
  /** Accounts whose items are not understood, and why, as of the last reading. */
  unreadable: ReadonlyMap<string, string> = new Map();

  constructor(parts: AccountShareParts, events: AccountShareEvents) {
    const { config, redis } = parts;
    this.#parts = parts;
    this.#events = events;
    this.holder = `${config.STREAMER_ID}:${randomUUID().slice(0, 8)}`;
    this.keeper = new LeaseKeeper(
      leaseSettings(config, this.holder),
      { ...parts, fence: new LeaseFence(redis, config.CHANNEL_PREFIX) },
      {
        onAcquired: (accountId, lease) => events.onAcquired(this.#accountOf(accountId), lease),
        onLost: (accountId) => events.onLost(accountId),
        onGivingAway: (accountId, why) => events.onGivingAway(accountId, why),
        onNews: () => nudgeStreamers(redis, config.CHANNEL_PREFIX, this.holder),
      },
    );
  }

  /** Without back-off: a lease that is not renewed is lost. */
  start(): void {
    const { loops, config } = this.#parts;
    const { LEASE_RENEW_MS, LEASE_WATCH_MS, LEASE_TTL_MS } = config;
    const pauseMs = () => (this.keeper.isHandOverNear ? HAND_OVER_LOOK_MS : LEASE_WATCH_MS);
    loops.start(RENEWAL, LEASE_RENEW_MS, () => this.keeper.renewAll(), {
      isVital: false,
      maxPauseMs: LEASE_RENEW_MS,
    });
    // A turn that hangs may still end later: what it does then is void where the board has changed.
    loops.start(DIVISION, pauseMs, () => this.#divide(), {
      isVital: false,
      maxPauseMs: LEASE_WATCH_MS,
      timeoutMs: LEASE_TTL_MS,
    });
  }

  /** Another streamer has news, or Redis is back. */
  look(newsFrom?: string): void {
    if (newsFrom !== this.holder) this.#parts.loops.poke(DIVISION);
  }

  /** Asks the table whose the accounts are when this process was held up, or a clock was set. */
  settleDoubts(): void {
    const { loops } = this.#parts;
    if (this.keeper.doubtful.length > 0 && !loops.isFailing(RENEWAL)) loops.poke(RENEWAL);
  }

  /** Redis says that a lease is another one's. */
  fencedOff(): void {
    this.#parts.loops.poke(RENEWAL);
  }

  /** Hands every account over; what cannot be in time is left to others' patience. */
  async leave(timeoutMs: number): Promise<void> {
    await within(timeoutMs, 'handing over', this.keeper.leave()).catch((error: Error) =>
      this.#parts.logger.error(
        { error: error.message },
        'not everything was handed over: leases end by themselves',
      ),
    );
  }

  async #divide(): Promise<void> {
    await this.#parts.ready();
    await this.keeper.divide(() => this.#readAccounts());
    this.hasSeenAccounts = true;
  }

  async #readAccounts(): Promise<WantedAccounts> {
    const unreadable = new Map<string, string>();
    const accounts = await this.#parts.accounts.listAccounts((accountId, problem) =>
      unreadable.set(accountId, problem),
    );
    const streaming = accounts.filter(
      (account) => account.status !== 'disabled' && account.session_version > 0,
    );
    this.#accounts = new Map(streaming.map((account) => [account.account_id, account]));
    this.#tellUnreadable(unreadable);
    // Whatever becomes of the leases: a new session does not wait for them.
    for (const account of streaming) this.#events.onSeen(account);
    return { ids: [...this.#accounts.keys()], unreadable: [...unreadable.keys()] };
  }

  #tellUnreadable(found: ReadonlyMap<string, string>): void {
    for (const [account_id, problem] of found) {
      if (!this.unreadable.has(account_id)) {
        this.#parts.logger.error({ account_id, problem }, 'an account cannot be read: it stays where it is');
      }
    }
    this.unreadable = found;
  }

  #accountOf(accountId: string): Account {
    const account = this.#accounts.get(accountId);
    if (account === undefined) throw new Error(`account ${accountId} was never read`);
    return account;
  }
}
