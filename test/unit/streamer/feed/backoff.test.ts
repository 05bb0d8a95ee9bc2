import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from '#streamer/feed/backoff.ts';

const RUNS = { seed: 20_260_818, numRuns: 500 };
const attempts = fc.integer({ min: 0, max: 2_000 });
const bases = fc.integer({ min: 1, max: 5_000 });
const mosts = fc.integer({ min: 1, max: 600_000 });
/** What Math.random gives: 1 never. */
const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('lies anywhere from nothing to the doubled step, and never reaches it or the longest', () => {
  const holds = fc.property(attempts, bases, mosts, fractions, (attempt, base, most, fraction) => {
    const delayMs = backoffMs(attempt, base, most, () => fraction);
    expect(Number.isInteger(delayMs)).toBe(true);
    expect(delayMs).toBeGreaterThanOrEqual(0);
    expect(delayMs).toBeLessThan(Math.min(most, base * 2 ** attempt));
  });
  fc.assert(holds, RUNS);
});

it('is drawn over the whole of it: with jitter, from its lower and its upper half', () => {
  const holds = fc.property(
    attempts,
    fc.integer({ min: 4, max: 5_000 }),
    fractions,
    (attempt, base, fraction) => {
      const most = 30_000;
      const span = Math.min(most, base * 2 ** attempt);
      const low = backoffMs(attempt, base, most, () => fraction / 2);
      const high = backoffMs(attempt, base, most, () => 0.5 + fraction / 2);
      expect(low).toBeLessThanOrEqual(span / 2);
      expect(high).toBeGreaterThanOrEqual(Math.floor(span / 2));
    },
  );
  fc.assert(holds, RUNS);
  expect(backoffMs(3, 250, 30_000, () => 0)).toBe(0);
  expect(backoffMs(3, 250, 30_000, () => 0.999_999)).toBe(1_999);
});

it('doubles with each attempt until the longest', () => {
  const steps = Array.from({ length: 10 }, (_, attempt) => backoffMs(attempt, 250, 30_000, () => 0.5));
  expect(steps).toEqual([125, 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  const holds = fc.property(attempts, bases, mosts, fractions, (attempt, base, most, fraction) => {
    const next = backoffMs(attempt + 1, base, most, () => fraction);
    expect(next).toBeGreaterThanOrEqual(backoffMs(attempt, base, most, () => fraction));
  });
  fc.assert(holds, RUNS);
});
