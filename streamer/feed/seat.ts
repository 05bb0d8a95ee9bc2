import type { FeedMode } from '#shared/market/instrument.ts';
import type { DisconnectCause } from './causes.ts';
import type { ConnectionState } from './connection-contract.ts';
import type { FlowMeter } from './flow.ts';
import { Movement, Questions } from './stall.ts';

/** What the pool needs of a connection. */
export interface PooledConnection {
  readonly id: number;
  readonly state: ConnectionState;
  readonly size: number;
  readonly wanted: ReadonlyMap<number, FeedMode>;
  readonly isSent: boolean;
  readonly isGone: boolean;
  readonly sessionVersion: number;
  readonly lastMessageMs: number;
  readonly openSinceMs: number;
  readonly flow: Pick<FlowMeter, 'lastMs' | 'startedMs' | 'meanGapMs'>;
  start(): void;
  change(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void;
  sessionChanged(): void;
  restart(cause: DisconnectCause, detail: string): void;
  close(): void;
}

/** A place among an account's connections; it outlives the connection that sits in it. */
export class Seat {
  connection: PooledConnection;
  /** Instruments that the broker is believed to take here. */
  capacity: number;
  /** How often a connection here was lost, refused or replaced. */
  readonly downs = new Map<DisconnectCause, number>();
  /** Of the links beside it. */
  readonly othersMovement = new Movement();
  /** Refusals for too many connections in a row. */
  refusedInRow = 0;
  /** Steady time of the tick after which its silence was first taken for a stall. */
  suspectedAtMs = Number.NaN;
  /** About its silence, put to a second link. */
  readonly questions = new Questions();
  /** The session for which its link was closed before there was another. */
  restartedForVersion = 0;
  /** Steady time at which its capacity was lowered last. */
  shrunkMs = Number.NEGATIVE_INFINITY;
  /** After a refusal that no rule explains a part of it is believed in again; 0: there was none. */
  regrowAfterMs = 0;
  /** Steady time from which on the next part is. */
  regrowFromMs = Number.POSITIVE_INFINITY;

  constructor(connection: PooledConnection, capacity: number) {
    this.connection = connection;
    this.capacity = capacity;
  }

  count(cause: DisconnectCause): void {
    this.downs.set(cause, (this.downs.get(cause) ?? 0) + 1);
  }

  get isOpen(): boolean {
    return this.connection.state === 'open';
  }
}
