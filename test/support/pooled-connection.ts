import type { FeedMode } from '#shared/market/instrument.ts';
import type { DisconnectCause } from '#streamer/feed/causes.ts';
import type { ConnectionState } from '#streamer/feed/connection-contract.ts';
import type { TickRouter } from '#streamer/feed/move.ts';
import type { PooledConnection } from '#streamer/feed/seat.ts';

/** A connection without a network: it writes down what it is asked for, and is in the state that a test gives it. */
export class RecordingConnection implements PooledConnection {
  readonly id: number;
  readonly wanted = new Map<number, FeedMode>();
  readonly flow = { lastMs: 0, startedMs: 0, meanGapMs: 100 };
  state: ConnectionState = 'open';
  isSent = true;
  isGone = false;
  sessionVersion = 1;
  lastMessageMs = 0;
  openSinceMs = 0;
  changes = 0;
  closed = false;
  readonly restarts: DisconnectCause[] = [];

  constructor(id: number) {
    this.id = id;
  }

  get size(): number {
    return this.wanted.size;
  }
  start(): void {}
  sessionChanged(): void {}
  restart(cause: DisconnectCause): void {
    this.restarts.push(cause);
  }
  close(): void {
    this.closed = true;
    this.state = 'idle';
  }
  change(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void {
    this.changes += 1;
    for (const token of removed) this.wanted.delete(token);
    for (const [token, mode] of set) this.wanted.set(token, mode);
  }
}

/** A small pool: two connections of ten instruments in use, one in reserve. */
export const POOL_SETTINGS = { instrumentsPerConnection: 10, softTarget: 5 };
export const POOL_LIMIT = {
  maxConnections: 3,
  reserveConnections: 1,
  limitRetryMs: 10,
  limitRetryMaxMs: 100,
};

/** Where no ticks flow. */
export const NO_TICKS: TickRouter = {
  assign: () => {},
  handOver: () => {},
  isKnown: () => true,
  isSettled: () => true,
  settle: () => {},
  finish: () => {},
  cancel: () => {},
  newsOf: () => 0,
};
