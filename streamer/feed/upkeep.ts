import type { SteadyClock } from '#shared/clock.ts';
import { backoffMs } from './backoff.ts';
import type { DisconnectCause } from './causes.ts';
import { Compaction, type CompactionSettings } from './compaction.ts';
import type { ConnectionLimit } from './limit.ts';
import { Move, type MoveKind, type TickRouter } from './move.ts';
import type { ConnectionPool } from './pool.ts';
import type { PooledConnection, Seat } from './seat.ts';
import { type StallSettings, stallVerdict } from './stall.ts';

export interface UpkeepSettings extends CompactionSettings {
  readonly stall: StallSettings;
  /** How long a replacement waits, once it has asked for everything, for instruments that did not catch up. */
  readonly overlapMaxMs: number;
  readonly subscribeChunk: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface UpkeepParts {
  readonly clock: Pick<SteadyClock, 'steadyMs'>;
  readonly random: () => number;
  readonly pool: ConnectionPool;
  readonly limit: ConnectionLimit;
  readonly router: TickRouter;
  open(): PooledConnection;
  isMarketOpen(): boolean;
  /** Steady time of the newest tick of the process' other accounts; 0: none. */
  elsewhereMs(): number;
  /** A link was ended on purpose. */
  onLeft(link: number): void;
  /** A connection took another one's place without a gap. */
  onReplaced(cause: DisconnectCause): void;
}

/** A link that was told of its limit may be told again for what was already under way. */
const ECHO_MS = 5_000;
/** A connection that has just ended may still count: one refusal for too many says nothing yet. */
const REFUSALS_TO_GIVE_UP = 2;

/**
 * Looks after a pool's connections: replaces what stalls or has an old session, first making the new link, then
 * ending the old one; gives up what the broker has no room for; merges what has become superfluous. One thing at a
 * time, decided anew from the state of things at each `tend`.
 */
export class Upkeep {
  readonly #settings: UpkeepSettings;
  readonly #parts: UpkeepParts;
  readonly #moves: Move[] = [];
  readonly #leaving = new Set<PooledConnection>();
  readonly #compaction: Compaction;
  #sessionVersion = 0;
  #failures = 0;
  #notBeforeMs = 0;
  /** Steady time at which the market was last seen closed. */
  #closedMs = 0;
  /** Refusals of instruments past a connection's limit. */
  oversubscribed = 0;

  constructor(settings: UpkeepSettings, parts: UpkeepParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#compaction = new Compaction(settings);
    parts.pool.onLeft = (connection) => this.#leave(connection);
    parts.pool.onChange = (seat, set, removed) => {
      for (const move of this.#moves) if (move.from === seat.connection) move.follow(set, removed);
    };
  }

  /** What is being replaced or merged now. */
  get moves(): readonly Move[] {
    return this.#moves;
  }

  /** A session with this version exists: connections with an older one are replaced, one after another. */
  sessionExists(version: number): void {
    if (version <= this.#sessionVersion) return;
    this.#sessionVersion = version;
    this.#notBeforeMs = 0;
  }

  /** To be called several times a second. */
  tend(): void {
    const { clock, limit, pool } = this.#parts;
    const nowMs = clock.steadyMs();
    for (const connection of this.#leaving) if (connection.isGone) this.#leaving.delete(connection);
    limit.confirm(pool.seats.filter((seat) => seat.isOpen).length);
    if (limit.raise(nowMs)) pool.placeAgain();
    pool.regrow(this.#settings.subscribeChunk, nowMs);
    for (const move of [...this.#moves]) this.#advance(move, nowMs);
    if (this.#moves.length > 0 || this.#leaving.size > 0) return;
    if (!this.#replaceStalled(nowMs) && !this.#replaceOldSession(nowMs)) this.#compact(nowMs);
  }

  /** A connection was lost, refused, or ended for being replaced. */
  wentDown(connection: PooledConnection, cause: DisconnectCause): void {
    const { pool, limit, clock } = this.#parts;
    const nowMs = clock.steadyMs();
    const seat = pool.seatOf(connection);
    for (const move of this.#moves.filter(({ to }) => to === connection)) this.#fail(move);
    if (seat === undefined) {
      if (cause === 'refused_429') limit.lower(pool.seats.filter(({ isOpen }) => isOpen).length, nowMs);
      this.#waitAfterFailure(nowMs);
      return;
    }
    seat.count(cause);
    seat.refusedInRow = cause === 'refused_429' ? seat.refusedInRow + 1 : 0;
    // What was to take over later takes over now.
    for (const move of this.#moves.filter(({ from }) => from === connection)) this.#complete(move);
    if (seat.refusedInRow >= REFUSALS_TO_GIVE_UP) this.#tooMany(seat, nowMs);
  }

  /** @param stated the limit that the broker named, if it did */
  instrumentsRefused(connection: PooledConnection, stated: number | undefined): void {
    const { pool, clock } = this.#parts;
    this.oversubscribed += 1;
    const nowMs = clock.steadyMs();
    const seat =
      pool.seatOf(connection) ??
      pool.seatOf(this.#moves.find(({ to }) => to === connection)?.from ?? connection);
    for (const move of this.#moves.filter(({ to }) => to === connection)) this.#drop(move);
    if (seat === undefined || nowMs < seat.shrunkMs + ECHO_MS) return;
    seat.shrunkMs = nowMs;
    const { size } = seat.connection;
    const isRule = stated !== undefined && stated > 0 && stated < size;
    pool.shrink(seat, isRule ? stated : Math.max(1, size - this.#settings.subscribeChunk), isRule, nowMs);
  }

  close(): void {
    for (const move of this.#moves.splice(0)) if (move.kind !== 'merge') move.to.close();
  }

  #replaceStalled(nowMs: number): boolean {
    const { pool, isMarketOpen } = this.#parts;
    if (!isMarketOpen()) {
      this.#closedMs = nowMs;
      for (const { othersMovement } of pool.seats) othersMovement.forget();
      return false;
    }
    for (const seat of pool.seats) {
      const othersMoveForMs = this.#othersMoveForMs(seat, nowMs);
      if (!seat.isOpen) continue;
      const { flow, wanted } = seat.connection;
      const context = { isSuspect: seat.suspectedAtMs === flow.lastMs, closedMs: this.#closedMs };
      const verdict = stallVerdict(flow, othersMoveForMs, nowMs, this.#settings.stall, context);
      if (verdict === 'stalled') {
        seat.suspectedAtMs = flow.lastMs;
        return this.#replace(seat, 'stalled', 'replace', nowMs);
      }
      const isAsking = verdict === 'alone' && wanted.size > 0 && seat.questions.isDue(flow, nowMs);
      // Without a free connection nobody can be asked; the next one may be known to stall.
      if (isAsking && this.#replace(seat, 'stalled', 'ask', nowMs)) return true;
    }
    return false;
  }

  #othersMoveForMs(seat: Seat, nowMs: number): number | undefined {
    const { pool, elsewhereMs } = this.#parts;
    const others = pool.seats.filter((each) => each !== seat).map((each) => each.connection.flow.lastMs);
    return seat.othersMovement.observe(Math.max(elsewhereMs(), ...others), nowMs, this.#settings.stall);
  }

  #replaceOldSession(nowMs: number): boolean {
    const { seats } = this.#parts.pool;
    const old = seats.find((seat) => seat.isOpen && seat.connection.sessionVersion < this.#sessionVersion);
    return old !== undefined && this.#replace(old, 'new_session', 'replace', nowMs);
  }

  #replace(seat: Seat, cause: DisconnectCause, kind: MoveKind, nowMs: number): boolean {
    const { limit, open, pool } = this.#parts;
    if (nowMs < this.#notBeforeMs) return true;
    if (pool.seats.length >= limit.believed) return this.#replaceWithGap(seat, cause, kind, nowMs);
    const to = open();
    const { connection } = seat;
    this.#begin(kind, cause, connection, to, connection.wanted.keys());
    if (kind === 'ask') seat.questions.asked(connection.flow, nowMs, this.#settings.stall);
    to.start();
    return true;
  }

  /** No connection is free: the old link ends before the new one is made. */
  #replaceWithGap(seat: Seat, cause: DisconnectCause, kind: MoveKind, nowMs: number): boolean {
    const { limit, pool } = this.#parts;
    if (kind === 'ask') return false;
    // An old session may live on: while another connection may come free, and while others are down, it can wait.
    if (cause === 'new_session' && (limit.isLowered || pool.seats.some(({ isOpen }) => !isOpen)))
      return false;
    if (cause === 'new_session') {
      // What it came back with was still the old one.
      if (seat.restartedForVersion === this.#sessionVersion) this.#waitAfterFailure(nowMs);
      seat.restartedForVersion = this.#sessionVersion;
    }
    seat.connection.restart(cause, 'no connection is free: closed first');
    return true;
  }

  #begin(
    kind: MoveKind,
    cause: DisconnectCause | undefined,
    from: PooledConnection,
    to: PooledConnection,
    tokens: Iterable<number>,
  ): void {
    const { router } = this.#parts;
    this.#moves.push(new Move({ kind, cause, from, to }, tokens, router, this.#settings.overlapMaxMs));
  }

  #advance(move: Move, nowMs: number): void {
    const progress = move.progress(nowMs);
    if (progress === 'done') this.#completeAsPlanned(move, nowMs);
    else if (progress === 'idle') this.#drop(move);
    else if (progress === 'failed') this.#fail(move);
  }

  #completeAsPlanned(move: Move, nowMs: number): void {
    const seat = this.#complete(move);
    if (seat === undefined || move.cause === undefined) return;
    seat.count(move.cause);
    this.#parts.onReplaced(move.cause);
    // A session that was read too early would be replaced again at once, and so on.
    const isStillOld = move.cause === 'new_session' && move.to.sessionVersion < this.#sessionVersion;
    if (isStillOld) this.#waitAfterFailure(nowMs);
    else this.#failures = 0;
  }

  /** @returns the seat whose connection is another one now */
  #complete(move: Move): Seat | undefined {
    const { pool } = this.#parts;
    this.#moves.splice(this.#moves.indexOf(move), 1);
    move.finish();
    const seat = pool.seatOf(move.from);
    if (seat === undefined) {
      // The last of its instruments went meanwhile, and the connection with them.
      if (move.kind !== 'merge') this.#end(move.to);
      return undefined;
    }
    if (move.kind === 'merge') {
      const target = pool.seatOf(move.to);
      if (target !== undefined) pool.rehome(move.tokens, seat, target);
      pool.closeEmpty();
      return undefined;
    }
    pool.replace(seat, move.to);
    seat.refusedInRow = 0;
    return seat;
  }

  /** The new link did not come about: what it was asked is still open. */
  #fail(move: Move): void {
    const seat = this.#parts.pool.seatOf(move.from);
    if (seat !== undefined && move.kind === 'ask') seat.questions.failed();
    this.#drop(move);
  }

  /** Everything stays with the connection it was on. */
  #drop(move: Move): void {
    this.#moves.splice(this.#moves.indexOf(move), 1);
    move.cancel();
    if (move.kind === 'merge') {
      move.to.change(new Map(), [...move.tokens]);
      return;
    }
    this.#end(move.to);
  }

  /** Until its socket has ended the broker counts it. */
  #end(connection: PooledConnection): void {
    connection.close();
    this.#leave(connection);
  }

  #leave(connection: PooledConnection): void {
    this.#leaving.add(connection);
    this.#parts.onLeft(connection.id);
  }

  #waitAfterFailure(nowMs: number): void {
    const { backoffBaseMs, backoffMaxMs } = this.#settings;
    this.#notBeforeMs = nowMs + backoffMs(this.#failures, backoffBaseMs, backoffMaxMs, this.#parts.random);
    this.#failures += 1;
  }

  /** Alone it keeps trying; beside open links it gives way, and what has room there streams on. */
  #tooMany(seat: Seat, nowMs: number): void {
    const { pool, limit } = this.#parts;
    const others = pool.seats.filter((each) => each !== seat && each.isOpen).length;
    limit.lower(others, nowMs);
    if (others > 0) pool.giveUp(seat);
  }

  #compact(nowMs: number): void {
    const plan = this.#compaction.due(this.#parts.pool.seats, nowMs);
    if (plan === undefined) return;
    for (const [target, tokens] of plan.targets) {
      this.#begin('merge', undefined, plan.seat.connection, target.connection, tokens);
    }
  }
}
