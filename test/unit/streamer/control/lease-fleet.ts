import { expect } from 'vitest';
import type { Lease, LeaseRecord } from '#shared/accounts/leases.ts';
import type { Board, Member } from '#shared/accounts/members.ts';
import { ManualClock } from '#shared/clock.ts';
import { LeaseKeeper, type LeaseStore, type MemberStore } from '#streamer/control/leases.ts';
import type { WantedAccounts } from '#streamer/control/wanted.ts';
import { MemoryLeases } from '#test/support/memory-sources.ts';

const SETTINGS = { ttlMs: 10_000, renewMs: 3_000, safetyMs: 1_000, maxAccounts: 100 };
const LOOK_MS = 1_000;
const STEP_MS = 500;

/** Lease keepers over one table and one Redis in memory, in time that is moved by hand. */
export class LeaseFleet {
  readonly clock = new ManualClock(1_792_489_200_000);
  readonly store = new MemoryLeases();
  readonly fences = new Map<string, number>();
  readonly accounts: Set<string>;
  readonly members: LeaseMember[] = [];
  readonly settings: typeof SETTINGS;
  readonly hanging = new Set<string>();
  isTableAway = false;
  /** So many writes of leases are done without an answer. */
  loseAnswers = 0;
  /** Accounts given to another streamer while their holder lived. */
  moves = 0;
  /** Who held an account when one of them began it. */
  heldAtBegin: string[][] = [];

  constructor(accounts: readonly string[], settings: Partial<typeof SETTINGS> = {}) {
    this.accounts = new Set(accounts);
    this.settings = { ...SETTINGS, ...settings };
  }

  join(holder: string): LeaseMember {
    const member = new LeaseMember(holder, this);
    this.members.push(member);
    return member;
  }

  get running(): LeaseMember[] {
    return this.members.filter((member) => member.isRunning);
  }

  /** Everybody does their rounds while time passes. @returns for how long each account had no holder, in ms */
  async pass(ms: number): Promise<Map<string, number>> {
    const darkMs = new Map([...this.accounts].map((id) => [id, 0]));
    await this.#round();
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      this.clock.advance(STEP_MS);
      await this.#round();
      for (const holders of this.heldAtBegin.splice(0)) expect(holders).toHaveLength(1);
      for (const [id, dark] of darkMs) if (this.holdersOf(id).length === 0) darkMs.set(id, dark + STEP_MS);
    }
    return darkMs;
  }

  /** Accounts that nobody may publish for. */
  get dark(): string[] {
    return [...this.accounts].filter((id) => this.holdersOf(id).length === 0);
  }

  /** Who may publish for the account, and whom Redis lets: never more than one. */
  holdersOf(accountId: string): LeaseMember[] {
    const newest = this.fences.get(accountId) ?? 0;
    return this.members.filter(({ isDead, keeper }) => !isDead && (keeper.held(accountId) ?? -1) >= newest);
  }

  async #round(): Promise<void> {
    await Promise.all(this.running.map((member) => member.round()));
  }
}

export class LeaseMember {
  readonly holder: string;
  readonly keeper: LeaseKeeper;
  readonly log: string[] = [];
  isCutOff = false;
  isDead = false;
  isIndexAway = false;
  /** It is alive and well, and no taking of a lease succeeds. */
  cannotTake = false;
  readonly unreadable = new Set<string>();
  /** So many accounts in a row fail to begin. */
  failingBegins = 0;
  readWanted = () => this.#list();
  /** Of its last look at the board. */
  failure: Error | undefined;
  #isFrozen = false;
  readonly #fleet: LeaseFleet;
  #renewedMs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(holder: string, fleet: LeaseFleet) {
    this.holder = holder;
    this.#fleet = fleet;
    this.keeper = new LeaseKeeper(
      { ...fleet.settings, holder },
      { leases: this.#leases(), members: this.#members(), fence: this.#fence(), clock: fleet.clock },
      {
        onAcquired: (accountId, lease) => {
          if (this.failingBegins > 0) {
            this.failingBegins -= 1;
            throw new Error('it does not begin');
          }
          this.log.push(`got ${accountId} ${lease}`);
          fleet.heldAtBegin.push(fleet.holdersOf(accountId).map((member) => member.holder));
        },
        onLost: (accountId) => void this.log.push(`lost ${accountId}`),
        onGivingAway: async (accountId, why) => {
          this.log.push(`gave ${accountId}, ${why}`);
          // The keeper's own trouble with it would be taken for a failure of the look.
          if (this.keeper.held(accountId) === undefined) fleet.heldAtBegin.push([]);
          if (why === 'moved') fleet.moves += 1;
        },
        onNews: () => {
          for (const other of fleet.running) if (other !== this) other.nudge();
        },
      },
    );
  }

  get isRunning(): boolean {
    return !this.isDead && !this.#isFrozen;
  }

  accounts(): string[] {
    return [...this.#fleet.accounts].filter((id) => this.keeper.held(id) !== undefined).sort();
  }

  kill(): void {
    this.isDead = true;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  wake(): void {
    this.#isFrozen = false;
  }

  nudge(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY;
  }

  async leave(): Promise<void> {
    await this.keeper.leave();
    this.isDead = true;
  }

  /** What its loops would do now. */
  async round(): Promise<void> {
    const nowMs = this.#fleet.clock.steadyMs();
    const { renewMs } = this.#fleet.settings;
    if (nowMs - this.#renewedMs >= renewMs || this.keeper.doubtful.length > 0) {
      this.#renewedMs = nowMs;
      await this.keeper.renewAll().catch(() => {});
    }
    if (nowMs - this.#lookedMs >= LOOK_MS) {
      this.#lookedMs = nowMs;
      this.failure = undefined;
      await this.keeper
        .divide(() => this.readWanted())
        .catch((error: Error) => {
          this.failure = error;
        });
    }
  }

  /** The index of accounts, as this member sees it. */
  async #list(): Promise<WantedAccounts> {
    if (this.isIndexAway) throw new Error('the index is away');
    return {
      ids: [...this.#fleet.accounts].filter((id) => !this.unreadable.has(id)),
      unreadable: [...this.unreadable],
    };
  }

  #reach(): void {
    if (this.#fleet.isTableAway || this.isCutOff) throw new Error('the table is away');
  }

  async #asked<T>(work: () => Promise<T>): Promise<T> {
    this.#reach();
    await Promise.resolve();
    return work();
  }

  async #written<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    if (this.#fleet.hanging.has(accountId)) return new Promise<T>(() => {});
    const answer = await this.#asked(work);
    if (this.#fleet.loseAnswers > 0) {
      this.#fleet.loseAnswers -= 1;
      throw new Error('the answer was lost');
    }
    return answer;
  }

  #leases(): LeaseStore {
    const { store } = this.#fleet;
    return {
      acquire: async (accountId: string, holder: string, seen: LeaseRecord | undefined, above?: number) => {
        if (this.cannotTake) throw new Error('denied');
        return this.#written(accountId, () => store.acquire(accountId, holder, seen, above));
      },
      renew: (lease: Lease, holder: string) =>
        this.#written(lease.accountId, () => store.renew(lease, holder)),
      release: (lease: Lease, holder: string) =>
        this.#written(lease.accountId, () => store.release(lease, holder)),
    };
  }

  #members(): MemberStore {
    const { store } = this.#fleet;
    return {
      readBoard: (): Promise<Board> => this.#asked(() => store.readBoard()),
      beat: (member: Member) => this.#asked(() => store.beat(member)),
      remove: (member: Member) => this.#asked(() => store.remove(member)),
    };
  }

  #fence() {
    const { fences } = this.#fleet;
    return {
      raise: async (accountId: string, lease: number) => {
        fences.set(accountId, Math.max(lease, fences.get(accountId) ?? 0));
        return fences.get(accountId)!;
      },
      readAll: async () => new Map(fences),
    };
  }
}
