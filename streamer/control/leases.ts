import type { LeaseRecord, LeaseRepository } from '#shared/accounts/leases.ts';
import type { Board, Member, MemberRepository } from '#shared/accounts/members.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { tryAll } from '#shared/parallel.ts';
import { Barred } from './barred.ts';
import { BoardWatch } from './board-watch.ts';
import type { LeaseFence } from './fence.ts';
import { HeldLease, stampOf } from './held-lease.ts';
import { type GivenAway, type Plan, planOf } from './plan.ts';
import { Renewals } from './renewals.ts';
import { Wanted, type WantedAccounts } from './wanted.ts';

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
  readonly #wanted: Wanted;
  readonly #barred: Barred;
  readonly #renewals: Renewals;
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
    const { ttlMs } = settings;
    this.#watch = new BoardWatch({ ttlMs, maxGapMs: ttlMs / 2 });
    // With the pause, at most a third, looks at the board stay near enough to each other.
    this.#wanted = new Wanted({ patienceMs: ttlMs / 8, timeoutMs: ttlMs });
    // So long that another one sees it lie, and takes it.
    this.#barred = new Barred(2 * ttlMs, parts.clock);
    this.#renewals = new Renewals(settings, parts, {
      isHeld: (held) => this.#held.get(held.accountId) === held,
      isGood: (held) => this.#isGood(held),
      onGone: (held) => this.#lose(held),
    });
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
    const all = [...this.#held.values()];
    await tryAll(all.length, all, (held) => this.#renewals.renew(held));
  }

  /**
   * One look at the board, and what follows from it. Who cannot reach Redis, or cannot read what shall stream, shows no
   * sign of life: it could not stream what falls to it.
   * @param readWanted while it fails, what is dead or free of the list read before is still taken
   */
  async divide(readWanted: () => Promise<WantedAccounts>): Promise<void> {
    const { members, fence } = this.#parts;
    const fences = await fence.readAll();
    const listed = this.#wanted.refresh(readWanted);
    const isFirst = this.#beats === 0;
    if (isFirst) await this.#join(listed);
    // Beside each other: an account that another streamer gave away waits for this.
    const [board] = await Promise.all([this.#look(), listed]);
    if (!isFirst) await this.#beat();
    const plan = this.#plan(board);
    this.isHandOverNear = plan.isHandOverNear;
    await this.#giveAwayAll(plan.surplus);
    await this.#take(plan, board, fences);
    for (const member of plan.dead) await members.remove(member);
    if (this.#wanted.failure !== undefined) throw this.#wanted.failure;
  }

  /** Gives everything away, and tells the others beforehand that it will. */
  async leave(): Promise<void> {
    const { members } = this.#parts;
    this.#isLeaving = true;
    // Held up until now: what is not this process's any more ends without ceremony.
    if (this.doubtful.length > 0) await this.renewAll().catch(() => {});
    this.#beats += 1;
    const self = this.#self();
    // Failing that, they notice by each lease that comes free.
    await members.beat(self).catch(() => {});
    this.#events.onNews();
    const all = [...this.#held.values()];
    try {
      await tryAll(all.length, all, (held) => this.#giveAway(held, 'moved'));
    } finally {
      await members.remove(self);
      this.#events.onNews();
    }
  }

  /** What shall stream is known before the others count on this one, and two that start at once must see each other. */
  async #join(listed: Promise<void>): Promise<void> {
    await listed;
    if (this.#wanted.failure !== undefined) throw this.#wanted.failure;
    await this.#beat();
    this.#events.onNews();
  }

  async #beat(): Promise<void> {
    if (this.#isLeaving || this.#wanted.failure !== undefined) return;
    const beats = this.#beats + 1;
    await this.#parts.members.beat({ ...this.#self(), beats });
    this.#beats = beats;
  }

  /** Noted as soon as it is read: time that other reads take must not blind the watch. */
  async #look(): Promise<Board> {
    const { members, clock } = this.#parts;
    const board = await members.readBoard();
    this.#watch.look(board, clock.steadyMs(), this.#wanted.last.ids);
    return board;
  }

  #self(): Member {
    const { holder, maxAccounts } = this.#settings;
    return { holder, beats: this.#beats, isLeaving: this.#isLeaving, maxAccounts };
  }

  #isGood(held: HeldLease): boolean {
    return held.isGood(stampOf(this.#parts.clock), this.#settings.ttlMs - this.#settings.safetyMs);
  }

  #plan(board: Board): Plan {
    for (const { accountId, holder, renewals } of board.leases) {
      // Not merely taken.
      if (holder !== undefined && renewals > 0) this.#barred.lift(accountId, holder);
    }
    return planOf({
      self: this.#self(),
      board,
      watch: this.#watch,
      wanted: this.#wanted.last,
      isWantedKnown: this.#wanted.failure === undefined,
      barred: this.#barred,
      held: new Set(this.#held.keys()),
    });
  }

  async #giveAwayAll(surplus: Plan['surplus']): Promise<void> {
    await tryAll(PARALLEL, [...surplus], async ([accountId, why]) => {
      const held = this.#held.get(accountId);
      if (held !== undefined) await this.#giveAway(held, why);
    });
    if (surplus.size > 0) this.#events.onNews();
  }

  async #take({ mine, lying, leftOver }: Plan, board: Board, fences: ReadonlyMap<string, number>) {
    const { leases } = this.#parts;
    const records = new Map(board.leases.map((record) => [record.accountId, record]));
    const take = (accountId: string) =>
      this.#takeOne(accountId, records.get(accountId), fences.get(accountId) ?? 0);
    const takeLying = async (accountId: string) => {
      await take(accountId);
      const named = lying.get(accountId);
      if (named !== undefined && this.#held.has(accountId)) this.#barred.note(accountId, named);
    };
    const works = [
      ...mine.map((accountId) => () => take(accountId)),
      ...[...lying.keys()].map((accountId) => () => takeLying(accountId)),
      // Its taking or giving back was not answered.
      ...leftOver.map((record) => () => leases.release(record, this.#settings.holder)),
    ];
    await tryAll(PARALLEL, works, (work) => work());
  }

  async #takeOne(accountId: string, seen: LeaseRecord | undefined, fence: number): Promise<void> {
    const { leases, clock } = this.#parts;
    const { holder } = this.#settings;
    if (this.#isLeaving || this.#barred.has(accountId, holder)) return;
    const asked = stampOf(clock);
    const begun = this.#begun.get(accountId) ?? 0;
    const isUnused = seen !== undefined && seen.lease > begun;
    if (isUnused && seen.holder === holder && seen.lease >= fence) {
      // Taken without hearing the answer. One that streamed already is not begun again: its numbers are used up.
      if (await leases.renew(seen, holder)) await this.#begin(new HeldLease(seen, asked));
      return;
    }
    if (seen !== undefined && seen.holder !== holder && !this.#watch.isFree(seen)) return;
    // Above what Redis and this process know: the table may be younger than both.
    const lease = await leases.acquire(accountId, holder, seen, Math.max(fence, begun));
    if (lease !== undefined) await this.#begin(new HeldLease(lease, asked));
  }

  async #begin(held: HeldLease): Promise<void> {
    const { accountId, lease } = held;
    // By an earlier turn that took too long; it may even be on its way back already.
    if (lease.lease <= (this.#begun.get(accountId) ?? 0)) return;
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
    try {
      this.#events.onAcquired(accountId, lease.lease);
      this.#barred.lift(accountId, this.#settings.holder);
    } catch (error) {
      await this.#undo(held);
      throw error;
    }
  }

  /** Nothing streams under it: others may try, and this process later. */
  async #undo(held: HeldLease): Promise<void> {
    this.#barred.note(held.accountId, this.#settings.holder);
    try {
      this.#lose(held);
    } finally {
      await this.#parts.leases.release(held.lease, this.#settings.holder);
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
