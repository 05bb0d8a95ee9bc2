import { createHash } from 'node:crypto';
import type { Instrument } from './instrument.ts';

export const SHARDS = 64;

export interface Shard {
  readonly name: string;
  readonly rows: readonly Instrument[];
}

/** What identifies an instrument for longer than a day. */
export function symbolOf({
  exchange,
  tradingsymbol,
}: Pick<Instrument, 'exchange' | 'tradingsymbol'>): string {
  return `${exchange}:${tradingsymbol}`;
}

/** The token's low byte names its segment, so the bits above it spread the rows. */
export function tokenShard(instrumentToken: number): string {
  return `by-token/${Math.floor(instrumentToken / 256) % SHARDS}`;
}

export function symbolShard(symbol: string): string {
  return `by-symbol/${createHash('sha256').update(symbol).digest().readUInt16BE(0) % SHARDS}`;
}

/** Every shard there may be, empty ones too: a look-up of what does not exist finds an empty shard, not a missing one. */
export function shardInstruments(instruments: readonly Instrument[]): Shard[] {
  const rows = new Map<string, Instrument[]>();
  for (let shard = 0; shard < SHARDS; shard += 1) {
    rows.set(`by-token/${shard}`, []);
    rows.set(`by-symbol/${shard}`, []);
  }
  for (const instrument of instruments) {
    rows.get(tokenShard(instrument.instrument_token))?.push(instrument);
    rows.get(symbolShard(symbolOf(instrument)))?.push(instrument);
  }
  return [...rows].map(([name, shardRows]) => ({ name, rows: shardRows }));
}
