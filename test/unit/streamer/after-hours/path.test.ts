import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexRow, underlyingOf } from '#shared/market/underlyings.ts';
import { pathAt, pathSeed } from '#streamer/after-hours/path.ts';
import { instrumentRow, optionRow } from '#test/support/frames.ts';

const MINUTE_MS = 60_000;
const NIGHT_MS = 17 * 60 * MINUTE_MS;
const anySeed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anyTime = fc.integer({ min: 0, max: 4_000_000_000_000 });

describe('the path of a synthetic price', () => {
  it('stays within its band and is the same whenever it is asked for', () => {
    fc.assert(
      fc.property(anySeed, anyTime, (seed, nowMs) => {
        const at = pathAt(seed, nowMs);
        expect(Math.abs(at)).toBeLessThanOrEqual(1);
        expect(pathAt(seed, nowMs)).toBe(at);
      }),
      { seed: 1 },
    );
  });

  it('moves little in a second, so that prices never jump', () => {
    fc.assert(
      fc.property(anySeed, anyTime, (seed, nowMs) => {
        expect(Math.abs(pathAt(seed, nowMs + 1_000) - pathAt(seed, nowMs))).toBeLessThan(0.02);
      }),
      { seed: 2 },
    );
  });

  it('comes back to where it began, over and over in every night, and drifts nowhere', () => {
    fc.assert(
      fc.property(anySeed, anyTime, (seed, fromMs) => {
        const night = Array.from({ length: NIGHT_MS / MINUTE_MS }, (_, minute) =>
          pathAt(seed, fromMs + minute * MINUTE_MS),
        );
        const mean = night.reduce((sum, at) => sum + at, 0) / night.length;
        const returns = night.filter((at, minute) => minute > 0 && at * night[minute - 1]! <= 0).length;
        expect(Math.abs(mean)).toBeLessThan(0.35);
        expect(returns).toBeGreaterThan(8);
        expect(Math.max(...night) - Math.min(...night)).toBeGreaterThan(0.5);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it('is one for an index, its futures and its options, and another for everything else', () => {
    const nifty = underlyingOf('NIFTY')!;
    const option = optionRow((7 << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type: 'PE' });
    const future = instrumentRow({
      instrument_token: (8 << 8) | 2,
      tradingsymbol: 'NIFTY26AUGFUT',
      instrument_type: 'FUT',
      segment: 'NFO-FUT',
    });
    const seeds = [indexRow(nifty), option, future].map((row) => pathSeed(1, row));
    expect(new Set(seeds).size).toBe(1);
    const share = (tradingsymbol: string) => instrumentRow({ instrument_token: 257, tradingsymbol });
    const others = [indexRow(underlyingOf('BANKNIFTY')!), share('INFY'), share('TCS')];
    expect(new Set([...seeds, ...others.map((row) => pathSeed(1, row))]).size).toBe(4);
    expect(pathSeed(2, option)).not.toBe(seeds[0]);
  });
});
