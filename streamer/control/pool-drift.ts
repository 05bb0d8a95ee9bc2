import type { FeedMode } from '#shared/market/instrument.ts';
import type { ConnectionPool } from '../feed/pool.ts';
import type { Seat } from '../feed/seat.ts';
import { type DriftCounts, noDrift } from './drift.ts';

export interface CheckedPool extends Pick<ConnectionPool, 'change' | 'isUnplaced'> {
  readonly seats: readonly { readonly connection: Pick<Seat['connection'], 'wanted' | 'change'> }[];
}

/**
 * Compares what the connections carry with what the account holds, pricing included, and puts right what differs.
 * Changes reach the connections in the same turn, so that nothing here is merely under way.
 * @param held instruments and their modes
 */
export function repairPool(pool: CheckedPool, held: ReadonlyMap<number, FeedMode>): DriftCounts {
  // Closed, or not yet started.
  if (pool.seats.length === 0) return noDrift();
  const carried = new Map<number, FeedMode>();
  for (const { connection } of pool.seats) {
    for (const [token, mode] of connection.wanted) carried.set(token, mode);
  }
  const missing = [...held].filter(([token]) => !carried.has(token) && !pool.isUnplaced(token));
  const wrong = [...held].filter(([token, mode]) => carried.has(token) && carried.get(token) !== mode);
  const strays = [...carried.keys()].filter((token) => !held.has(token));
  if (missing.length + wrong.length + strays.length === 0) return noDrift();
  // A place that it is believed to have is given up first.
  pool.change(new Map(), [...missing.map(([token]) => token), ...strays]);
  for (const { connection } of pool.seats) {
    connection.change(new Map(wrong.filter(([token]) => connection.wanted.has(token))), strays);
  }
  pool.change(new Map(missing), []);
  return { not_streaming: missing.length, not_wanted: strays.length, wrong_mode: wrong.length };
}
