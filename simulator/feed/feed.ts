import type { FeedMode } from '#shared/market/instrument.ts';
import type { Faults, Feed, Market, Sessions } from '#simulator/contracts.ts';

export interface FeedOptions {
  readonly market: Market;
  readonly sessions: Sessions;
  readonly faults: Faults;
  /** Instruments a connection may hold; default 3,000. */
  readonly maxInstruments?: number;
  /** Connections an api_key may hold; default 3. */
  readonly maxConnections?: number;
  /** Mode after a bare subscribe (not documented by the broker); default quote. */
  readonly defaultMode?: FeedMode;
  /** Silence after which a heartbeat leaves; default 2,000. */
  readonly heartbeatMs?: number;
  /** What a session's end does to its open links: the broker keeps them until the next connect. */
  readonly onSessionEnd?: 'keep' | 'close';
  /** A reader that lets more than this wait is cut off; default 64 MiB. */
  readonly maxBufferedBytes?: number;
}

export function createFeed(_options: FeedOptions): Feed {
  throw new Error('being built');
}
