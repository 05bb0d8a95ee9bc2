import type { Snapshot } from '#shared/market/snapshot.ts';

/**
 * A tick in one number, so that millions fit into memory: exchange time in s, and 24 bits of last price and volume.
 * No instrument has two changes that agree in time, price and volume.
 */
export type TickKey = number;

const HASH_BITS = 24;
const HASH_SIZE = 2 ** HASH_BITS;
/** 2020: with 24 bits beside it a time until 2037 is exact in a double. */
const EPOCH_S = 1_577_836_800;

export function tickKey(timeS: number, pricePaise: number, volume: number): TickKey {
  const mixed = Math.imul(pricePaise ^ Math.imul(volume, 0x9e37_79b1), 0x85eb_ca6b);
  return (timeS - EPOCH_S) * HASH_SIZE + (mixed >>> (32 - HASH_BITS));
}

/** Exchange time in s. */
export function timeOf(key: TickKey): number {
  return Math.floor(key / HASH_SIZE) + EPOCH_S;
}

/** A published tick in the words of the tap. */
export function keyOf(tick: Snapshot): TickKey {
  const volume = tick.type === 'underlying' ? 0 : (tick.volume ?? 0);
  return tickKey((tick.exchange_ts ?? 0) / 1_000, Math.round(tick.ltp * 100), volume);
}
