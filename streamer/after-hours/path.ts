import type { Instrument } from '#shared/market/instrument.ts';
import { kindOf } from '#shared/market/instrument.ts';
import { UNDERLYINGS } from '#shared/market/underlyings.ts';
import { nameSeed, uniform } from '#shared/random.ts';

/** Periods in ms of market time and the part of the whole swing each has; the parts sum to 1. */
const WAVES = [
  { periodMs: 1_200_000, part: 0.55 },
  { periodMs: 300_000, part: 0.3 },
  { periodMs: 60_000, part: 0.15 },
] as const;

/**
 * Where a synthetic price shall stand within its band at a moment, from -1 to 1: a random path around 0, to which it
 * always comes back. It is a function of seed and time, so every account and every process that simulates an
 * instrument follows the same path, and nothing of it is kept.
 */
export function pathAt(seed: number, nowMs: number): number {
  let sum = 0;
  for (let wave = 0; wave < WAVES.length; wave += 1) {
    const { periodMs, part } = WAVES[wave]!;
    const at = nowMs / periodMs;
    const knot = Math.floor(at);
    const way = at - knot;
    const smooth = way * way * (3 - 2 * way);
    const from = uniform(seed, knot, wave);
    sum += part * (from + (uniform(seed, knot + 1, wave) - from) * smooth);
  }
  return 2 * sum - 1;
}

/** An index, its futures and options move together; so do a share and its derivatives; everything else by itself. */
export function pathSeed(seed: number, instrument: Instrument): number {
  return nameSeed(seed, pathName(instrument));
}

function pathName(instrument: Instrument): string {
  switch (kindOf(instrument)) {
    case 'option':
    case 'future':
      return instrument.name;
    case 'equity':
      return instrument.tradingsymbol;
    case 'underlying': {
      const { instrument_token, tradingsymbol } = instrument;
      const index = UNDERLYINGS.find((each) => each.instrument_token === instrument_token);
      return index?.name ?? tradingsymbol;
    }
  }
}
