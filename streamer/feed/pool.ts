import type { FeedMode } from '#shared/market/instrument.ts';
import type { ConnectionLimit } from './limit.ts';
import type { TickRouter } from './move.ts';
import { type PooledConnection, Seat } from './seat.ts';
import { type Load, leastLoaded } from './spread.ts';

export interface PoolSettings {
  readonly instrumentsPerConnection: number;
  /** A new connection opens when every open one carries this many. */
  readonly softTarget: number;
}

export interface PoolParts {
  readonly limit: ConnectionLimit;
  readonly router: TickRouter;
  /** A new connection, not yet started. */
  open(): PooledConnection;
}

interface Work {
  readonly set: Map<number, FeedMode>;
  readonly removed: number[];
}

/**
 * Spreads one account's instruments over its connections. An instrument stays where it is until it is removed or its
 * connection is given up: a change to one never moves another. Who replaces connections is `Upkeep`.
 */
export class ConnectionPool {
  readonly seats: Seat[] = [];
  readonly #settings: PoolSettings;
  readonly #parts: PoolParts;
  readonly #home = new Map<number, Seat>();
  readonly #unplaced = new Map<number, FeedMode>();
  #capacity: number;
  #closed = false;
  /** Told of every change, after the connection itself was. */
  onChange:
    | ((seat: Seat, set: ReadonlyMap<number, FeedMode>, removed: readonly number[]) => void)
    | undefined;
  /** A seat was given up with its connection. */
  onLeft: ((connection: PooledConnection) => void) | undefined;

  constructor(settings: PoolSettings, parts: PoolParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#capacity = settings.instrumentsPerConnection;
  }

  get connections(): readonly PooledConnection[] {
    return this.seats.map((seat) => seat.connection);
  }

  /** Instruments for which no connection has room. */
  get unplaced(): number {
    return this.#unplaced.size;
  }

  /** Whether it waits for room. */
  isUnplaced(token: number): boolean {
    return this.#unplaced.has(token);
  }

  get placed(): number {
    return this.#home.size;
  }

  /** Instruments that the connections it may have can carry. */
  get capacity(): number {
    const seats = this.seats.reduce((sum, seat) => sum + seat.capacity, 0);
    return seats + Math.max(0, this.#parts.limit.usable - this.seats.length) * this.#capacity;
  }

  /** One link stays open even without instruments: it carries the account's order updates. */
  start(): void {
    if (this.seats.length === 0) this.#add();
  }

  seatOf(connection: PooledConnection): Seat | undefined {
    return this.seats.find((seat) => seat.connection === connection);
  }

  /** Removals first, so that what comes finds their room. */
  change(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void {
    if (this.#closed) return;
    const work = new Map<Seat, Work>();
    const workOf = (seat: Seat) => {
      const known: Work = work.get(seat) ?? { set: new Map(), removed: [] };
      work.set(seat, known);
      return known;
    };
    for (const token of removed) {
      this.#unplaced.delete(token);
      const home = this.#home.get(token);
      if (home === undefined) continue;
      this.#home.delete(token);
      workOf(home).removed.push(token);
    }
    const loads = this.#loads((seat) => work.get(seat)?.removed.length ?? 0);
    for (const [token, mode] of [...this.#unplaced, ...set]) {
      const home = this.#home.get(token) ?? this.#place(loads);
      if (home === undefined) {
        this.#unplaced.set(token, mode);
        continue;
      }
      if (!this.#home.has(token)) this.#settleIn(token, home, loads);
      else if (!this.#parts.router.isKnown(token)) this.#parts.router.assign([token], home.connection.id);
      workOf(home).set.set(token, mode);
    }
    for (const [seat, { set: modes, removed: gone }] of work) {
      seat.connection.change(modes, gone);
      this.onChange?.(seat, modes, gone);
    }
    this.closeEmpty();
  }

  /** Places what had no room, where there is some now. */
  placeAgain(): void {
    if (this.#unplaced.size > 0) this.change(new Map(), []);
  }

  /**
   * The broker takes fewer instruments on a connection: those asked for last are streamed elsewhere. What was no rule
   * passes (see `regrow`).
   */
  shrink(seat: Seat, capacity: number, isRule: boolean, nowMs: number): void {
    if (isRule) this.#capacity = Math.min(this.#capacity, capacity);
    else {
      seat.regrowAfterMs = this.#parts.limit.waitAfter(seat.regrowAfterMs);
      seat.regrowFromMs = nowMs + seat.regrowAfterMs;
    }
    seat.capacity = Math.min(seat.capacity, capacity);
    this.#moveAway(seat, [...seat.connection.wanted].slice(seat.capacity));
  }

  /** After a while the broker is believed to take so many instruments more on a connection again. */
  regrow(instruments: number, nowMs: number): void {
    const due = this.seats.filter(({ regrowFromMs }) => nowMs >= regrowFromMs);
    for (const seat of due) {
      seat.capacity = Math.max(seat.capacity, Math.min(this.#capacity, seat.capacity + instruments));
      const isWhole = seat.capacity >= this.#capacity;
      seat.regrowFromMs = isWhole ? Number.POSITIVE_INFINITY : nowMs + seat.regrowAfterMs;
    }
    if (due.length > 0) this.placeAgain();
  }

  /** Gives a seat up: its instruments go where there is room, the rest waits. */
  giveUp(seat: Seat): void {
    this.seats.splice(this.seats.indexOf(seat), 1);
    const wanted = [...seat.connection.wanted];
    this.#end(seat.connection);
    this.#moveAway(seat, wanted);
  }

  /** The seat's instruments are another connection's now. */
  replace(seat: Seat, connection: PooledConnection): void {
    this.#end(seat.connection);
    seat.connection = connection;
  }

  /** Instruments that were moved between seats. */
  rehome(tokens: Iterable<number>, from: Seat, to: Seat): void {
    const moved = [...tokens].filter((token) => this.#home.get(token) === from);
    for (const token of moved) this.#home.set(token, to);
    from.connection.change(new Map(), moved);
  }

  closeEmpty(): void {
    for (let index = this.seats.length - 1; index >= 0 && this.seats.length > 1; index -= 1) {
      const { connection } = this.seats[index]!;
      if (connection.size > 0) continue;
      this.seats.splice(index, 1);
      this.#end(connection);
    }
  }

  sessionChanged(): void {
    for (const { connection } of this.seats) connection.sessionChanged();
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.seats.splice(0)) connection.close();
    this.#home.clear();
  }

  #end(connection: PooledConnection): void {
    connection.close();
    this.onLeft?.(connection);
  }

  #moveAway(seat: Seat, wanted: readonly (readonly [number, FeedMode])[]): void {
    const away = wanted.filter(([token]) => this.#home.get(token) === seat);
    for (const [token] of away) this.#home.delete(token);
    const gone = away.map(([token]) => token);
    seat.connection.change(new Map(), gone);
    this.onChange?.(seat, new Map(), gone);
    this.change(new Map(away), []);
  }

  #loads(leaving: (seat: Seat) => number): Map<Seat, Load> {
    return new Map(
      this.seats.map((seat) => [
        seat,
        { instruments: seat.connection.size - leaving(seat), capacity: seat.capacity },
      ]),
    );
  }

  #settleIn(token: number, seat: Seat, loads: Map<Seat, Load>): void {
    const { instruments = 0, capacity = seat.capacity } = loads.get(seat) ?? {};
    loads.set(seat, { instruments: instruments + 1, capacity });
    this.#unplaced.delete(token);
    this.#home.set(token, seat);
    this.#parts.router.assign([token], seat.connection.id);
  }

  /** The least loaded; a new one when all are past the soft target and one may still be opened. */
  #place(loads: ReadonlyMap<Seat, Load>): Seat | undefined {
    const isPast = [...loads.values()].every(
      ({ instruments, capacity }) => instruments >= Math.min(this.#settings.softTarget, capacity),
    );
    if (isPast && this.seats.length < this.#parts.limit.usable) return this.#add();
    return leastLoaded(loads);
  }

  #add(): Seat {
    const connection = this.#parts.open();
    const seat = new Seat(connection, this.#capacity);
    this.seats.push(seat);
    connection.start();
    return seat;
  }
}
