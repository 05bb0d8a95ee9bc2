import type { ConnectionState } from '../feed/connection-contract.ts';
import type { FeedView } from './account-reporter.ts';

/** What of an account's streamer its feed is judged by. */
export interface ViewedStreamer {
  readonly subscriptions: number;
  readonly feed: {
    readonly pool: {
      readonly unplaced: number;
      readonly connections: readonly { readonly state: ConnectionState; readonly size: number }[];
    };
  };
}

/** A link without any message is closed as silent: an open one brings something. */
export function feedView({ subscriptions, feed: { pool } }: ViewedStreamer): FeedView {
  const shut = pool.connections.filter(({ state }) => state !== 'open');
  const stranded = shut.reduce((sum, { size }) => sum + size, pool.unplaced);
  return {
    subscriptions,
    // Links also carry indices that nobody claimed.
    unplaced: Math.min(stranded, subscriptions),
    hasOpenLink: shut.length < pool.connections.length,
  };
}
