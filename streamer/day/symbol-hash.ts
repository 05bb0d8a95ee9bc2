import type { Instrument } from '#shared/market/instrument.ts';

/** 64 bits over `tradingsymbol:exchange`, as two numbers of 32. */
export interface SymbolHash {
  a: number;
  b: number;
}

/** Two FNV-1a sums that begin and multiply differently (isthe.com/chongo/tech/comp/fnv). */
export const HASH_START: Readonly<SymbolHash> = { a: 0x811c9dc5, b: 0x050c5d1f };
const FNV_PRIME = 0x01000193;
const OTHER_PRIME = 0x85ebca6b;

export function step(hash: SymbolHash, byte: number): void {
  hash.a = Math.imul(hash.a ^ byte, FNV_PRIME) >>> 0;
  hash.b = Math.imul(hash.b ^ byte, OTHER_PRIME) >>> 0;
  hash.b ^= hash.b >>> 15;
}

export function symbolHash({
  tradingsymbol,
  exchange,
}: Pick<Instrument, 'tradingsymbol' | 'exchange'>): SymbolHash {
  const hash = { ...HASH_START };
  for (const byte of Buffer.from(`${tradingsymbol}:${exchange}`)) step(hash, byte);
  return hash;
}
