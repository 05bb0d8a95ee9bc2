import type { FeedMode } from '#shared/market/instrument.ts';
import type { ConnectionState } from './connection.ts';

/** What the pool needs of a connection. */
export interface PooledConnection {
  readonly state: ConnectionState;
  readonly size: number;
  readonly tokens: Iterable<number>;
  readonly lastMessageMs: number;
  start(): void;
  change(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void;
  sessionChanged(): void;
  close(): void;
}

export interface PoolSettings {
  /** The broker's limit for one api_key. */
  readonly maxConnections: number;
  /** Kept free for a replacement or another streamer's takeover. */
  readonly reserveConnections: number;
  readonly instrumentsPerConnection: number;
  /** A new connection opens when every open one carries this many. */
  readonly softTarget: number;
}

interface Work {
  readonly set: Map<number, FeedMode>;
  readonly removed: number[];
}

/**
 * Spreads one account's instruments over its connections. An instrument stays where it is until it is removed:
 * a change to one never moves another.
 */
export class ConnectionPool {
  readonly #settings: PoolSettings;
  readonly #open: () => PooledConnection;
  readonly #connections: PooledConnection[] = [];
  readonly #home = new Map<number, PooledConnection>();
  readonly #unplaced = new Map<number, FeedMode>();
  #closed = false;

  constructor(settings: PoolSettings, open: () => PooledConnection) {
    this.#settings = settings;
    this.#open = open;
  }

  get connections(): readonly PooledConnection[] {
    return this.#connections;
  }

  /** Instruments for which no connection has room. */
  get unplaced(): number {
    return this.#unplaced.size;
  }

  get capacity(): number {
    return this.#usable() * this.#settings.instrumentsPerConnection;
  }

  /** One link stays open even without instruments: it carries the account's order updates. */
  start(): void {
    if (this.#connections.length === 0) this.#add();
  }

  /** Removals first, so that what comes finds their room. */
  change(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void {
    if (this.#closed) return;
    const work = new Map<PooledConnection, Work>();
    const workOf = (connection: PooledConnection) => {
      const known: Work = work.get(connection) ?? { set: new Map(), removed: [] };
      work.set(connection, known);
      return known;
    };
    for (const token of removed) {
      this.#unplaced.delete(token);
      const home = this.#home.get(token);
      if (home === undefined) continue;
      this.#home.delete(token);
      workOf(home).removed.push(token);
    }
    const planned = new Map(
      this.#connections.map((connection) => [
        connection,
        connection.size - (work.get(connection)?.removed.length ?? 0),
      ]),
    );
    for (const [token, mode] of [...this.#unplaced, ...set]) {
      const home = this.#home.get(token) ?? this.#place(planned);
      if (home === undefined) {
        this.#unplaced.set(token, mode);
        continue;
      }
      if (!this.#home.has(token)) planned.set(home, (planned.get(home) ?? 0) + 1);
      this.#unplaced.delete(token);
      this.#home.set(token, home);
      workOf(home).set.set(token, mode);
    }
    for (const [connection, { set: modes, removed: gone }] of work) connection.change(modes, gone);
    this.#closeEmpty();
  }

  sessionChanged(): void {
    for (const connection of this.#connections) connection.sessionChanged();
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.splice(0)) connection.close();
    this.#home.clear();
  }

  #usable(): number {
    return Math.max(1, this.#settings.maxConnections - this.#settings.reserveConnections);
  }

  /** The least loaded; a new one when all are past the soft target and one may still be opened. */
  #place(planned: Map<PooledConnection, number>): PooledConnection | undefined {
    let best: PooledConnection | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [connection, load] of planned) {
      if (load < least) [best, least] = [connection, load];
    }
    if (least >= this.#settings.softTarget && this.#connections.length < this.#usable()) return this.#add();
    return least < this.#settings.instrumentsPerConnection ? best : undefined;
  }

  #add(): PooledConnection {
    const connection = this.#open();
    this.#connections.push(connection);
    connection.start();
    return connection;
  }

  #closeEmpty(): void {
    for (let index = this.#connections.length - 1; index > 0; index -= 1) {
      const connection = this.#connections[index]!;
      if (connection.size > 0) continue;
      this.#connections.splice(index, 1);
      connection.close();
    }
  }
}
