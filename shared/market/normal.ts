/** 1 / sqrt(2 pi). */
export const INV_SQRT_2PI = 0.3989422804014327;

/**
 * Probability that a standard normal variable exceeds `z`, for z >= 0, given `e = exp(-z * z / 2)`: the caller
 * needs that exponential for the density anyway.
 *
 * Rational approximation 5666 of J. F. Hart, Computer Approximations (1968). Absolute error below 1e-15
 * everywhere; relative error below 1e-12 up to z = 4, 1e-8 up to 7 and 4e-6 up to 37. It tends to e / (z sqrt(2 pi))
 * as it must, so the tail needs no formula of its own and the function stays smooth for root finding.
 */
export function upperTail(z: number, e: number): number {
  const numerator =
    (((((3.52624965998911e-2 * z + 0.700383064443688) * z + 6.37396220353165) * z + 33.912866078383) * z +
      112.079291497871) *
      z +
      221.213596169931) *
      z +
    220.206867912376;
  const denominator =
    ((((((8.83883476483184e-2 * z + 1.75566716318264) * z + 16.064177579207) * z + 86.7807322029461) * z +
      296.564248779674) *
      z +
      637.333633378831) *
      z +
      793.826512519948) *
      z +
    440.413735824752;
  return (e * numerator) / denominator;
}

/** Standard normal density. */
export function normalPdf(x: number): number {
  return INV_SQRT_2PI * Math.exp(-0.5 * x * x);
}

/** Standard normal cumulative distribution; absolute error below 1e-15. */
export function normalCdf(x: number): number {
  const tail = upperTail(Math.abs(x), Math.exp(-0.5 * x * x));
  return x > 0 ? 1 - tail : tail;
}
