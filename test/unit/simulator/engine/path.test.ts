import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { activityShare, bridge, cascade, PricePath } from '#simulator/engine/path.ts';

const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const ANCHOR_MS = istMs('2026-08-18', '09:15');
const nifty = (seedOf: number) =>
  new PricePath({
    seed: seedOf,
    anchorMs: ANCHOR_MS,
    anchorPrice: 24_200,
    dailyVolatility: 0.008,
    pull: 0.003,
  });

/** Log returns of minutes of one session. */
function minuteReturns(path: PricePath, day: string): number[] {
  const openMs = istMs(day, '09:15');
  const logs = Array.from({ length: 376 }, (_, i) => Math.log(path.priceAt(openMs + i * 60_000)));
  return logs.slice(1).map((log, i) => log - logs[i]!);
}

const deviation = (values: number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

describe('the price path', () => {
  it('goes through its anchor', () => {
    expect(nifty(7).priceAt(ANCHOR_MS)).toBeCloseTo(24_200, 6);
  });

  it('is the same for the same seed, in whatever order it is asked', () => {
    const times = Array.from({ length: 50 }, (_, i) => ANCHOR_MS + (i - 25) * 7_777_777_777);
    const forward = times.map((ms) => nifty(3).priceAt(ms));
    const path = nifty(3);
    const backward = [...times]
      .reverse()
      .map((ms) => path.priceAt(ms))
      .reverse();
    expect(backward).toEqual(forward);
    expect(times.map((ms) => nifty(4).priceAt(ms))).not.toEqual(forward);
  });

  it('stays positive and within a factor of two of its level over ten years', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: -1800, max: 1800 }), (seedOf, days) => {
        const price = nifty(seedOf).priceAt(ANCHOR_MS + days * 86_400_000);
        expect(price > 12_100 && price < 48_400).toBe(true);
      }),
      { seed: 1 },
    );
  });

  it('moves in a minute as an index does, and its wild minutes cluster', () => {
    const sizes: number[] = [];
    for (let i = 1; i <= 40; i++) sizes.push(...minuteReturns(nifty(i), '2026-08-20').map(Math.abs));
    expect(deviation(sizes)).toBeGreaterThan(0.0002);
    expect(deviation(sizes)).toBeLessThan(0.0006);
    const mean = sizes.reduce((a, b) => a + b, 0) / sizes.length;
    let together = 0;
    let alone = 0;
    for (let i = 1; i < sizes.length; i++) {
      together += (sizes[i]! - mean) * (sizes[i - 1]! - mean);
      alone += (sizes[i]! - mean) ** 2;
    }
    expect(together / alone).toBeGreaterThan(0.05);
  });

  it('joins its days without a jump at midnight', () => {
    const midnight = istMs('2026-08-19', '00:00');
    fc.assert(
      fc.property(seed, (seedOf) => {
        const path = nifty(seedOf);
        expect(Math.abs(Math.log(path.priceAt(midnight) / path.priceAt(midnight - 1)))).toBeLessThan(1e-6);
      }),
      { seed: 2 },
    );
  });
});

describe('its parts', () => {
  it('a bridge meets both ends', () => {
    fc.assert(
      fc.property(seed, (s) => {
        expect(bridge(s, 3, 5, 1, 0)).toBe(3);
        expect(bridge(s, 3, 5, 1, 1)).toBe(5);
      }),
      { seed: 3 },
    );
  });

  it('a cascade rises from 0 to 1', () => {
    fc.assert(
      fc.property(seed, share, share, (s, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(cascade(s, low)).toBeLessThanOrEqual(cascade(s, high) + 1e-12);
        expect(cascade(s, 0)).toBe(0);
        expect(cascade(s, 1)).toBeCloseTo(1, 12);
      }),
      { seed: 4 },
    );
  });

  it('the day is busiest after the open and before the close', () => {
    const inMinutes = (from: number, to: number) => activityShare(to * 60_000) - activityShare(from * 60_000);
    expect(inMinutes(555, 600) / 45).toBeGreaterThan(2 * (inMinutes(690, 810) / 120));
    expect(inMinutes(880, 940) / 60).toBeGreaterThan(2 * (inMinutes(690, 810) / 120));
    expect([activityShare(0), activityShare(86_400_000)]).toEqual([0, 1]);
  });
});
