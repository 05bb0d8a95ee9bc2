import type { DisconnectCause } from './causes.ts';
import { isTrouble } from './causes.ts';
import type { ConnectionLimit } from './limit.ts';
import type { Move } from './move.ts';
import type { ConnectionPool } from './pool.ts';
import type { Seat } from './seat.ts';

/** One connection of an account as health shows it; `reconnects` and causes outlive the link in that place. */
export interface ConnectionReport {
  readonly state: string;
  readonly instruments: number;
  /** Instruments that the broker is believed to take on it. */
  readonly capacity: number;
  readonly connected_since: string | null;
  readonly session_version: number;
  readonly last_message_age_ms: number | null;
  readonly last_tick_age_ms: number | null;
  readonly reconnects: number;
  readonly stalled: number;
  readonly causes: Readonly<Partial<Record<DisconnectCause, number>>>;
}

export interface FeedReport {
  readonly connections: readonly ConnectionReport[];
  /** Instruments for which no connection has room. */
  readonly unplaced: number;
  readonly capacity: {
    readonly instruments: number;
    readonly used: number;
    /** Nearly full: see CAPACITY_WARN_FRACTION. */
    readonly warning: boolean;
  };
  /** Connections that the broker is believed to allow. */
  readonly connection_limit: number;
  /** Replacements and mergers under way. */
  readonly moves: readonly {
    readonly kind: string;
    readonly cause: string | null;
    readonly instruments: number;
  }[];
}

export interface FeedView {
  readonly pool: ConnectionPool;
  readonly limit: ConnectionLimit;
  readonly moves: readonly Move[];
  readonly warnFraction: number;
}

export function feedReport(view: FeedView, steadyMs: number): FeedReport {
  const { pool, limit, moves } = view;
  const used = pool.placed + pool.unplaced;
  return {
    connections: pool.seats.map((seat) => connectionReport(seat, steadyMs)),
    unplaced: pool.unplaced,
    capacity: { instruments: pool.capacity, used, warning: used >= view.warnFraction * pool.capacity },
    connection_limit: limit.believed,
    moves: moves.map(({ kind, cause, tokens }) => ({ kind, cause: cause ?? null, instruments: tokens.size })),
  };
}

function connectionReport({ connection, capacity, downs }: Seat, steadyMs: number): ConnectionReport {
  const { state, size, openSinceMs, lastMessageMs, flow } = connection;
  const troubles = [...downs].filter(([cause]) => isTrouble(cause));
  return {
    state,
    instruments: size,
    capacity,
    connected_since: openSinceMs === 0 ? null : new Date(openSinceMs).toISOString(),
    session_version: connection.sessionVersion,
    last_message_age_ms: ageMs(lastMessageMs, steadyMs),
    last_tick_age_ms: ageMs(flow.lastMs, steadyMs),
    reconnects: troubles.reduce((sum, [, times]) => sum + times, 0),
    stalled: downs.get('stalled') ?? 0,
    causes: Object.fromEntries(downs),
  };
}

function ageMs(atMs: number, steadyMs: number): number | null {
  return atMs === 0 ? null : Math.round(steadyMs - atMs);
}
