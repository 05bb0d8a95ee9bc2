import type { LeaseRecord, LeaseRepository } from '#shared/accounts/leases.ts';
import type { Board, Member, MemberRepository } from '#shared/accounts/members.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { inParallel } from '#shared/parallel.ts';
import { within } from '#shared/within.ts';
import { BoardWatch } from './board-watch.ts';
import { divide } from './division.ts';
import type { LeaseFence } from './fence.ts';
import { HeldLease, stampOf } from './held-lease.ts';

export type LeaseStore = Pick<LeaseRepository, 'acquire' | 'renew' | 'release'>;
export type MemberStore = Pick<MemberRepository, 'readBoard' | 'beat' | 'remove'>;

export interface LeaseKeeperSettings {
  /** This process, and never another one again. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly renewMs: number;
  /** A lease counts as lost so long before others may take it: what is under way then still ends in time. */
  readonly safetyMs: number;
  /** Accounts that this process holds at most. */
  readonly maxAccounts: number;
}

export interface LeaseKeeperParts {
  readonly leases: LeaseStore;
  readonly members: MemberStore;
  readonly fence: Pick<LeaseFence, 'raise' | 'readAll'>;
  readonly clock: Pick<SteadyClock, 'steadyMs' | 'wallMs'>;
}

/** Why an account is given away: another streamer takes it, or it shall not stream any more. */
export type GivenAway = 'moved' | 'unwanted';

export interface LeaseKeeperEvents {
  onAcquired(accountId: string, lease: number): void;
  /** It is somebody else's already: everything ends at once. */
  onLost(accountId: string): void;
  /** The lease is held until this returns. */
  onGivingAway(accountId: string, why: GivenAway): Promise<void>;
  /** The other streamers have a reason to look. */
  onNews(): void;
}

const PARALLEL = 8;

/**
 * Keeps this process's part of the accounts: takes what falls to it, renews it, gives away what falls to others, and
 * says at any moment which leases are safely held (docs/decisions/0005-leases.md).
 */
export class LeaseKeeper {
  readonly #settings: LeaseKeeperSettings;
  readonly #parts: LeaseKeeperParts;
  readonly #events: LeaseKeeperEvents;
  readonly #watch: BoardWatch;
  readonly #held = new Map<string, HeldLease>();
  /** The newest lease of each account that was streamed under. */
  readonly #begun = new Map<string, number>();
  #beats = 0;
  #isLeaving = false;
  /** Somebody is about to give accounts away: looking often makes a lost hint cheap. */
  isHandOverNear = false;
  readonly changes = { acquired: 0, lost: 0, given_away: 0 };

  constructor(settings: LeaseKeeperSettings, parts: LeaseKeeperParts, events: LeaseKeeperEvents) {
    this.#settings = settings;
    this.#parts = parts;
    this.#events = events;
    // Half the time is enough to tell an outage of the table from a slow answer.
    this.#watch = new BoardWatch({ ttlMs: settings.ttlMs, maxGapMs: settings.ttlMs / 2 });
  }

  /** The lease's number while it is safely held. */
  held(accountId: string): number | undefined {
    const held = this.#held.get(accountId);
    return held !== undefined && this.#isGood(held) ? held.lease.lease : undefined;
  }

  /** Accounts of which nobody knows whether they are still this process's. */
  get doubtful(): string[] {
    return [...this.#held.values()].filter((held) => !this.#isGood(held)).map((held) => held.accountId);
  }

  /** A sign of life for every lease held, all at once. @throws the first failure, after all have been tried */
  async renewAll(): Promise<void> {
    const results = await Promise.allSettled([...this.#held.values()].map((held) => this.#renew(held)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * One look at the board, and what follows from it. Without Redis a streamer shows no sign of life: it could not
   * stream what falls to it.
   * @param readAccountIds all that shall stream
   */
  async divide(readAccountIds: () => Promise<readonly string[]>): Promise<void> {
    const { members, fence, clock } = this.#parts;
    const fences = await fence.readAll();
    const self = this.#self();
    // Two that start at once must see each other.
    if (self.beats === 1) {
      await members.beat(self);
      this.#events.onNews();
    }
    // Beside each other: an account that another streamer gave away waits for this.
    const [accountIds, board] = await Promise.all([
      readAccountIds(),
      members.readBoard(),
      self.beats > 1 ? members.beat(self) : undefined,
    ]);
    this.#watch.look(board, clock.steadyMs());
    const others = board.members.filter(({ holder }) => holder !== this.#settings.holder);
    const dead = others.filter((member) => this.#watch.isDead(member));
    this.isHandOverNear = others.some((member) => member.isLeaving && !dead.includes(member));
    const living = others.filter((member) => !member.isLeaving && !dead.includes(member));
    const mine = this.#shareOf(accountIds, board, this.#isLeaving ? living : [...living, self]);
    await this.#giveAwayAllBut(mine, new Set(accountIds));
    await this.#take(mine, board, fences);
    for (const member of dead) await members.remove(member);
  }

  /** Gives everything away, and tells the others beforehand that it will. */
  async leave(): Promise<void> {
    const { members } = this.#parts;
    this.#isLeaving = true;
    // Held up until now: what is not this process's any more ends without ceremony.
    if (this.doubtful.length > 0) await this.renewAll().catch(() => {});
    const self = this.#self();
    // Failing that, they notice by each lease that comes free.
    await members.beat(self).catch(() => {});
    this.#events.onNews();
    const ended = await Promise.allSettled(
      [...this.#held.values()].map((held) => this.#giveAway(held, 'moved')),
    );
    await members.remove(self);
    this.#events.onNews();
    const failed = ended.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #self(): Member {
    this.#beats += 1;
    const { holder, maxAccounts } = this.#settings;
    return { holder, beats: this.#beats, isLeaving: this.#isLeaving, maxAccounts };
  }

  #isGood(held: HeldLease): boolean {
    return held.isGood(stampOf(this.#parts.clock), this.#settings.ttlMs - this.#settings.safetyMs);
  }

  #shareOf(accountIds: readonly string[], board: Board, members: readonly Member[]): Set<string> {
    const holders = new Map<string, string>();
    for (const { accountId, holder } of board.leases) {
      if (holder !== undefined) holders.set(accountId, holder);
    }
    const division = divide(accountIds, members, holders);
    return new Set(accountIds.filter((accountId) => division.get(accountId) === this.#settings.holder));
  }

  async #giveAwayAllBut(mine: ReadonlySet<string>, wanted: ReadonlySet<string>): Promise<void> {
    const surplus = [...this.#held.values()].filter(({ accountId }) => !mine.has(accountId));
    await inParallel(PARALLEL, surplus, (held) =>
      this.#giveAway(held, wanted.has(held.accountId) ? 'moved' : 'unwanted'),
    );
    if (surplus.length > 0) this.#events.onNews();
  }

  async #take(mine: ReadonlySet<string>, board: Board, fences: ReadonlyMap<string, number>): Promise<void> {
    const { leases } = this.#parts;
    const { holder } = this.#settings;
    const records = new Map(board.leases.map((record) => [record.accountId, record]));
    const missing = [...mine].filter((accountId) => !this.#held.has(accountId));
    await inParallel(PARALLEL, missing, (accountId) =>
      this.#takeOne(accountId, records.get(accountId), fences.get(accountId) ?? 0),
    );
    // Its taking or giving back was not answered.
    const leftOver = board.leases.filter(
      (record) =>
        record.holder === holder && !mine.has(record.accountId) && !this.#held.has(record.accountId),
    );
    await inParallel(PARALLEL, leftOver, (record) => leases.release(record, holder));
  }

  async #takeOne(accountId: string, seen: LeaseRecord | undefined, fence: number): Promise<void> {
    const { leases, clock } = this.#parts;
    const { holder } = this.#settings;
    if (this.#isLeaving) return;
    const asked = stampOf(clock);
    const isUnused = seen !== undefined && seen.lease > (this.#begun.get(accountId) ?? 0);
    if (isUnused && seen.holder === holder && seen.lease >= fence) {
      // Taken without hearing the answer. One that streamed already is not begun again: its numbers are used up.
      if (await leases.renew(seen, holder)) await this.#begin(new HeldLease(seen, asked));
      return;
    }
    if (seen !== undefined && seen.holder !== holder && !this.#watch.isFree(seen)) return;
    // Above what Redis knows: the table may be younger than Redis.
    const lease = await leases.acquire(accountId, holder, seen, fence);
    if (lease !== undefined) await this.#begin(new HeldLease(lease, asked));
  }

  async #begin(held: HeldLease): Promise<void> {
    const { accountId, lease } = held;
    // An earlier turn that took too long has it already.
    if (this.#held.get(accountId)?.lease.lease === lease.lease) return;
    if (this.#isLeaving) {
      await this.#parts.leases.release(lease, this.#settings.holder);
      return;
    }
    this.#held.set(accountId, held);
    this.#begun.set(accountId, lease.lease);
    // Where Redis does not answer now, the first envelope raises it.
    await this.#parts.fence.raise(accountId, lease.lease).catch(() => {});
    // Given away or lost in the meantime.
    if (this.#held.get(accountId) !== held) return;
    this.changes.acquired += 1;
    this.#events.onAcquired(accountId, lease.lease);
  }

  async #renew(held: HeldLease): Promise<void> {
    if (held.isRenewing || held.isEnding) return;
    held.isRenewing = true;
    try {
      const asked = stampOf(this.#parts.clock);
      const isHeld = await this.#askTable(held);
      if (this.#held.get(held.accountId) !== held) return;
      if (!isHeld) this.#lose(held);
      else await this.#confirm(held, asked);
    } catch (error) {
      await this.#confirmByFence(held);
      throw error;
    } finally {
      held.isRenewing = false;
    }
  }

  #askTable({ lease }: HeldLease): Promise<boolean> {
    const { renewMs, holder } = this.#settings;
    return within(renewMs, 'a renewal', this.#parts.leases.renew(lease, holder));
  }

  async #confirm(held: HeldLease, asked: ReturnType<typeof stampOf>): Promise<void> {
    held.confirm(asked);
    const { accountId, lease } = held.lease;
    const standing = await this.#parts.fence.raise(accountId, lease).catch(() => lease);
    if (standing > lease && this.#held.get(accountId) === held) {
      // The table is younger than Redis: with this number nothing would be published.
      this.#lose(held);
      await this.#parts.leases.release(held.lease, this.#settings.holder);
    }
  }

  /**
   * The table does not answer. Whoever took the lease meanwhile has written so to Redis, and Redis takes nothing more
   * under this number; as long as it stands there, streaming goes on.
   */
  async #confirmByFence(held: HeldLease): Promise<void> {
    const { fence, clock } = this.#parts;
    const { accountId, lease } = held.lease;
    const asked = stampOf(clock);
    try {
      // Only who never lost sight of its lease may write down what a Redis that was emptied forgot.
      const standing = this.#isGood(held)
        ? await fence.raise(accountId, lease)
        : (await fence.readAll()).get(accountId);
      if (this.#held.get(accountId) !== held) return;
      if (standing === lease) held.confirm(asked);
      else if (standing !== undefined) this.#lose(held);
    } catch {
      // Without Redis nothing is published either; the lease runs out unless one of the two comes back.
    }
  }

  #lose(held: HeldLease): void {
    this.#held.delete(held.accountId);
    this.changes.lost += 1;
    this.#events.onLost(held.accountId);
  }

  /** What streams stops first: nobody may take the lease while this process still publishes. */
  async #giveAway(held: HeldLease, why: GivenAway): Promise<void> {
    if (held.isEnding) return;
    held.isEnding = true;
    await this.#events.onGivingAway(held.accountId, why);
    if (this.#held.get(held.accountId) !== held) return;
    this.#held.delete(held.accountId);
    this.changes.given_away += 1;
    await this.#parts.leases.release(held.lease, this.#settings.holder);
    this.#events.onNews();
  }
}
