import { describe, expect, it } from 'vitest';
import { normalCdf } from '#shared/market/normal.ts';

/** mpmath 1.3.0 `ncdf` at 50 digits, outside the project, rounded to the nearest double. */
const REFERENCE: readonly (readonly [x: number, probability: number])[] = [
  [-8, 6.220960574271784e-16],
  [-5, 2.866515718791939e-7],
  [-3, 0.0013498980316300946],
  [-1.5, 0.06680720126885807],
  [-0.5, 0.3085375387259869],
  [0, 0.5],
  [0.25, 0.5987063256829237],
  [1, 0.8413447460685429],
  [2, 0.9772498680518208],
  [4, 0.9999683287581669],
];

describe('the normal distribution', () => {
  it('agrees with 50-digit values to 1e-15', () => {
    for (const [x, probability] of REFERENCE) {
      expect(Math.abs(normalCdf(x) - probability)).toBeLessThan(1e-15);
    }
  });

  it('keeps 8 digits of a far tail', () => {
    expect(normalCdf(-8) / 6.220960574271784e-16 - 1).toBeCloseTo(0, 7);
  });
});
