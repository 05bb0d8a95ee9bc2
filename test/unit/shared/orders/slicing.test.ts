import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeLimit } from '#shared/orders/freeze-limits.ts';
import { sliceQuantities } from '#shared/orders/slicing.ts';

describe('slices', () => {
  it('add up to the quantity, each a lot multiple not above the limit, as few as possible', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 5_000 }),
        (lot, lots, limit) => {
          const quantity = lot * lots;
          const slices = sliceQuantities(quantity, lot, limit);
          const most = Math.floor(limit / lot) * lot;
          if (slices === undefined) {
            expect(most === 0 || Math.ceil(quantity / most) > 1_296).toBe(true);
            return;
          }
          expect(slices.reduce((sum, slice) => sum + slice, 0)).toBe(quantity);
          for (const slice of slices) {
            expect(slice).toBeGreaterThan(0);
            expect(slice).toBeLessThanOrEqual(limit);
            expect(slice % lot).toBe(0);
          }
          expect(slices).toHaveLength(Math.ceil(quantity / most));
        },
      ),
      { seed: 9, numRuns: 1_000 },
    );
  });

  it('of NIFTY are 27 lots of 65', () => {
    expect(sliceQuantities(65 * 60, 65, freezeLimit('NIFTY', '2026-08-18'))).toEqual([1_755, 1_755, 390]);
  });

  it('are one where no limit is known', () => {
    expect(sliceQuantities(1_000_000, 1, freezeLimit('RELIANCE', '2026-08-18'))).toEqual([1_000_000]);
  });

  it('follow the circular of the day', () => {
    expect(freezeLimit('BANKNIFTY', '2025-10-15')).toBe(900);
    expect(freezeLimit('BANKNIFTY', '2025-11-03')).toBe(600);
    expect(freezeLimit('FINNIFTY', '2026-01-31')).toBe(1_200);
    expect(freezeLimit('FINNIFTY', '2026-02-01')).toBe(1_800);
  });
});
