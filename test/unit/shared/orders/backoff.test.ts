import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '#shared/orders/backoff.ts';

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the back-off', () => {
  it('stays within 0 and min(2^failures, 60) seconds, in whole ms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), unit, (failures, random) => {
        const ms = backoffMs(failures, () => random);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThan(Math.min(2 ** failures, 60) * 1_000);
      }),
      { seed: 8 },
    );
  });

  it('spreads over the whole range', () => {
    expect(backoffMs(3, () => 0)).toBe(0);
    expect(backoffMs(3, () => 0.5)).toBe(4_000);
    expect(backoffMs(6, () => 0.5)).toBe(30_000);
    expect(backoffMs(40, () => 0.999)).toBe(59_940);
  });
});
