import type { Lease, LeaseRecord } from '#shared/accounts/leases.ts';
import type { Board, Member } from '#shared/accounts/members.ts';
import type { AccountReports } from '#shared/accounts/reports.ts';
import type {
  Account,
  AccountFeed,
  AccountSource,
  BrokerSession,
  SessionChange,
} from '#shared/accounts/types.ts';
import type { FeedMode, Instrument } from '#shared/market/instrument.ts';
import type { ActivationStore } from '#shared/subscriptions/activations.ts';
import type { AccountSubscription, SubscriptionSource } from '#shared/subscriptions/types.ts';
import type { LeaseStore, MemberStore } from '#streamer/control/leases.ts';

/** Subscriptions of one account in memory, with the same contract as the table's. */
export class MemorySubscriptions implements SubscriptionSource {
  readonly #rows = new Map<number, AccountSubscription>();
  #mark = 0;

  set(instruments: readonly Instrument[], mode: FeedMode): void {
    this.#mark += 1;
    for (const instrument of instruments) {
      const { instrument_token } = instrument;
      this.#rows.set(instrument_token, { instrument_token, mode, version: this.#mark, instrument });
    }
  }

  remove(tokens: readonly number[]): void {
    this.#mark += 1;
    for (const token of tokens) this.#rows.delete(token);
  }

  async dirtyMark(): Promise<number> {
    return this.#mark;
  }

  async listForAccount(): Promise<AccountSubscription[]> {
    return [...this.#rows.values()];
  }

  async getForAccount(_accountId: string, tokens: readonly number[]): Promise<AccountSubscription[]> {
    return tokens.flatMap((token) => this.#rows.get(token) ?? []);
  }
}

/** One account whose session a test sets. */
export class MemoryAccounts implements AccountSource {
  readonly #accountId: string;
  session: BrokerSession | undefined;

  constructor(accountId: string, session: BrokerSession) {
    this.#accountId = accountId;
    this.session = session;
  }

  async listAccounts(): Promise<Account[]> {
    return [
      {
        account_id: this.#accountId,
        user_id: 'SIM001',
        api_key: this.session?.api_key ?? '',
        session_version: this.session?.session_version ?? 0,
        status: 'active',
        created_at: '2026-08-18T03:30:00.000Z',
      },
    ];
  }

  async readSession(): Promise<BrokerSession | undefined> {
    return this.session;
  }
}

/** Leases and streamers in memory: the same rules as the table's. */
export class MemoryLeases implements LeaseStore, MemberStore {
  readonly #leases = new Map<string, LeaseRecord>();
  readonly #members = new Map<string, Member>();

  async readBoard(): Promise<Board> {
    return { leases: [...this.#leases.values()], members: [...this.#members.values()] };
  }

  async beat(member: Member): Promise<void> {
    this.#members.set(member.holder, member);
  }

  async remove({ holder, beats }: Member): Promise<void> {
    if (this.#members.get(holder)?.beats === beats) this.#members.delete(holder);
  }

  async acquire(
    accountId: string,
    holder: string,
    seen: LeaseRecord | undefined,
    above = 0,
  ): Promise<Lease | undefined> {
    const known = this.#leases.get(accountId);
    const lease = Math.max(seen?.lease ?? 0, above) + 1;
    const isAsSeen = known?.lease === seen?.lease && known?.renewals === seen?.renewals;
    if (isAsSeen) this.#leases.set(accountId, { accountId, holder, lease, renewals: 0 });
    else if (known?.holder !== holder || known.lease !== lease) return undefined;
    return { accountId, lease };
  }

  async renew({ accountId, lease }: Lease, holder: string): Promise<boolean> {
    return this.#change(accountId, lease, holder, holder);
  }

  async release({ accountId, lease }: Lease, holder: string): Promise<void> {
    this.#change(accountId, lease, holder, undefined);
  }

  /** Somebody else takes it, as after a pause of this process. */
  takeAway(accountId: string): void {
    const lease = (this.#leases.get(accountId)?.lease ?? 0) + 1;
    this.#leases.set(accountId, { accountId, holder: 'somebody else', lease, renewals: 0 });
  }

  /** The table is made anew. */
  forget(): void {
    this.#leases.clear();
    this.#members.clear();
  }

  #change(accountId: string, lease: number, holder: string, next: string | undefined): boolean {
    const known = this.#leases.get(accountId);
    if (known?.holder !== holder || known.lease !== lease) return false;
    this.#leases.set(accountId, { ...known, holder: next, renewals: known.renewals + 1 });
    return true;
  }
}

/** What streamers reported, with the same contract as the table's but for leases. */
export class MemoryReports implements AccountReports {
  readonly sessions: string[] = [];
  readonly feeds: AccountFeed[] = [];
  readonly attempts: AccountFeed[] = [];
  failing = false;

  async sessionDied(accountId: string, version: number, { reason }: SessionChange): Promise<boolean> {
    this.#answer();
    this.sessions.push(`${accountId} ${version} died ${reason}`);
    return true;
  }

  async sessionLives(accountId: string, version: number): Promise<boolean> {
    this.#answer();
    this.sessions.push(`${accountId} ${version} lives`);
    return true;
  }

  async feedChanged(_accountId: string, feed: AccountFeed): Promise<boolean> {
    this.attempts.push(feed);
    this.#answer();
    this.feeds.push(feed);
    return true;
  }

  #answer(): void {
    if (this.failing) throw new Error('the table is away');
  }
}

/** Marks in memory: each instrument's first report is news, as in the table. */
export class MemoryActivations implements ActivationStore {
  readonly told: string[] = [];
  readonly #marked = new Set<number>();
  failing: (instrumentToken: number) => boolean = () => false;
  asked = 0;
  mostAtOnce = 0;
  #underWay = 0;

  async activate(accountId: string, { instrument_token, version }: AccountSubscription): Promise<boolean> {
    this.asked += 1;
    this.#underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay);
    await new Promise((resolve) => setImmediate(resolve));
    this.#underWay -= 1;
    if (this.failing(instrument_token)) throw new Error('the table is away');
    if (this.#marked.has(instrument_token)) return false;
    this.#marked.add(instrument_token);
    this.told.push(`${accountId} ${instrument_token} v${version}`);
    return true;
  }

  /** The subscription begins anew. */
  forget(instrumentToken: number): void {
    this.#marked.delete(instrumentToken);
  }
}
