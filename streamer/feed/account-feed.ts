import type { BrokerSession } from '#shared/accounts/types.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { isTrading, marketState } from '#shared/market/calendar.ts';
import type { Book } from '../enrich/book.ts';
import type { TickPipeline } from '../pipeline.ts';
import { type DisconnectCause, isTrouble } from './causes.ts';
import { FeedConnection } from './connection.ts';
import type { ConnectionSettings } from './connection-contract.ts';
import { ConnectionLimit, type LimitSettings } from './limit.ts';
import { ConnectionPool, type PoolSettings } from './pool.ts';
import { type FeedReport, feedReport } from './report.ts';
import { tickRouter } from './router.ts';
import type { PooledConnection } from './seat.ts';
import { SessionKeeper } from './session-keeper.ts';
import { readTextFrame } from './text-frames.ts';
import { Upkeep, type UpkeepSettings } from './upkeep.ts';

export interface FeedSettings {
  readonly pool: PoolSettings;
  readonly limit: LimitSettings;
  readonly connection: ConnectionSettings;
  readonly upkeep: UpkeepSettings;
  /** Of the capacity: from there on it is nearly full. */
  readonly capacityWarnFraction: number;
  /** `market`: stalls are looked for in market hours only. */
  readonly stallHours: 'market' | 'always';
}

export interface FeedParts {
  readonly clock: SteadyClock;
  readonly random: () => number;
  readonly book: Book;
  readonly pipeline: TickPipeline;
  readSession(): Promise<BrokerSession | undefined>;
  /** Steady time of the newest tick of the process' other accounts; 0: none. */
  elsewhereMs(): number;
}

export interface FeedEvents {
  onOpen(link: number): void;
  /** The link ended because another one has taken over: nothing was missed. */
  onLeft(link: number): void;
  onDown(cause: DisconnectCause, detail: string, link: number): void;
  /** A connection took another one's place without a gap. */
  onReplaced(cause: DisconnectCause): void;
  /** The instruments have come near to what the connections can carry. */
  onNearlyFull(used: number, capacity: number): void;
  /** An order frame as it came; every connection of the account gets a copy. */
  onOrder(text: string, link: number): void;
  /** Any other text frame. */
  onText(text: string): void;
  /** The broker took the session for a new link. */
  onSessionTaken(sessionVersion: number): void;
  /** The broker refused the session: called once a version, again only if it was taken in between. */
  onSessionDead(sessionVersion: number): void;
  /** A frame was worked through, from its bytes to the batches. */
  onFrame(durationMs: number): void;
  /** Before anything of a frame is used. */
  beforeFrame(): void;
}

export const TEND_EVERY_MS = 200;
const HOUR_MS = 3_600_000;
/** Of the fraction that is warned from: below it the next warning is news again. */
const CALM_AGAIN = 0.9;

/** An account's connections and what is done for them to live. */
export class AccountFeed {
  readonly pool: ConnectionPool;
  readonly upkeep: Upkeep;
  readonly limit: ConnectionLimit;
  readonly session: SessionKeeper;
  readonly downs = new Map<DisconnectCause, number>();
  readonly #settings: FeedSettings;
  readonly #parts: FeedParts;
  readonly #events: FeedEvents;
  /** Steady times of troubles within the last hour. */
  #troubles: number[] = [];
  #lastId = 0;
  #hasWarned = false;

  constructor(settings: FeedSettings, parts: FeedParts, events: FeedEvents) {
    this.#settings = settings;
    this.#parts = parts;
    this.#events = events;
    this.session = new SessionKeeper(() => parts.readSession());
    this.limit = new ConnectionLimit(settings.limit);
    const router = tickRouter(parts.book, parts.pipeline);
    const open = () => this.#newConnection();
    this.pool = new ConnectionPool(settings.pool, { limit: this.limit, router, open });
    this.upkeep = new Upkeep(settings.upkeep, {
      clock: parts.clock,
      random: parts.random,
      pool: this.pool,
      limit: this.limit,
      router,
      open,
      isMarketOpen: () => this.#isMarketOpen(),
      elsewhereMs: () => parts.elsewhereMs(),
      onLeft: (link) => events.onLeft(link),
      onReplaced: (cause) => {
        this.#count(cause);
        events.onReplaced(cause);
      },
    });
  }

  start(): void {
    this.pool.start();
  }

  /** A session with this version exists. */
  sessionChanged(version: number): void {
    this.upkeep.sessionExists(version);
    // Those that wait for one try it at once.
    if (this.session.announced(version)) this.pool.sessionChanged();
  }

  /** Steady time of the newest tick on any link; 0: none. */
  get lastFlowMs(): number {
    return Math.max(0, ...this.pool.connections.map(({ flow }) => flow.lastMs));
  }

  /** Connections lost or refused within the last hour. */
  get troublesInHour(): number {
    const sinceMs = this.#parts.clock.steadyMs() - HOUR_MS;
    this.#troubles = this.#troubles.filter((atMs) => atMs > sinceMs);
    return this.#troubles.length;
  }

  report(): FeedReport {
    const { pool, limit, upkeep } = this;
    const view = { pool, limit, moves: upkeep.moves, warnFraction: this.#settings.capacityWarnFraction };
    return feedReport(view, this.#parts.clock.steadyMs());
  }

  close(): void {
    this.upkeep.close();
    this.pool.close();
  }

  /** Looks after the connections: stalls, replacements, limits; call it every `TEND_EVERY_MS`. */
  tend(): void {
    this.upkeep.tend();
    const { pool } = this;
    const fraction = (pool.placed + pool.unplaced) / pool.capacity;
    const from = this.#settings.capacityWarnFraction;
    if (fraction < from * CALM_AGAIN) this.#hasWarned = false;
    if (fraction < from || this.#hasWarned) return;
    this.#hasWarned = true;
    this.#events.onNearlyFull(pool.placed + pool.unplaced, pool.capacity);
  }

  #isMarketOpen(): boolean {
    if (this.#settings.stallHours === 'always') return true;
    return isTrading(marketState(this.#parts.clock.nowMs(), 'derivatives'));
  }

  #newConnection(): FeedConnection {
    const { clock, random } = this.#parts;
    this.#lastId += 1;
    const id = this.#lastId;
    const connection: FeedConnection = new FeedConnection(
      id,
      this.#settings.connection,
      { clock, random, session: () => this.session.current() },
      {
        onFrame: (frame) => this.#onFrame(frame, id),
        onText: (text) => this.#onText(connection, text),
        onOpen: () => this.#onOpen(connection),
        onDown: (cause, detail) => this.#onDown(connection, cause, detail),
      },
    );
    return connection;
  }

  #onFrame(frame: DataView, link: number): void {
    this.#events.beforeFrame();
    const startedMs = performance.now();
    this.#parts.pipeline.frame(frame, link);
    this.#events.onFrame(performance.now() - startedMs);
  }

  #onOpen(connection: FeedConnection): void {
    const { book, pipeline } = this.#parts;
    for (const token of connection.wanted.keys()) {
      const slot = book.get(token);
      if (slot !== undefined) pipeline.splices.reopened(slot, connection.id);
    }
    // Whoever reads a newer session first may be a connection that was refused with the old one.
    this.upkeep.sessionExists(connection.sessionVersion);
    this.#events.onOpen(connection.id);
    this.session.taken(connection.sessionVersion);
    this.#events.onSessionTaken(connection.sessionVersion);
  }

  #onText(connection: PooledConnection, text: string): void {
    const frame = readTextFrame(text);
    if (frame.kind === 'order') {
      this.#events.onOrder(text, connection.id);
      return;
    }
    this.#events.onText(text);
    if (frame.kind === 'too_many_instruments') this.upkeep.instrumentsRefused(connection, frame.limit);
  }

  #onDown(connection: FeedConnection, cause: DisconnectCause, detail: string): void {
    this.#count(cause);
    this.#events.onDown(cause, detail, connection.id);
    if (cause === 'refused_403' && this.session.refused(connection.sessionVersion)) {
      this.#events.onSessionDead(connection.sessionVersion);
    }
    this.upkeep.wentDown(connection, cause);
  }

  #count(cause: DisconnectCause): void {
    this.downs.set(cause, (this.downs.get(cause) ?? 0) + 1);
    if (isTrouble(cause)) this.#troubles.push(this.#parts.clock.steadyMs());
    if (this.#troubles.length > 1_000) this.#troubles.shift();
  }
}
