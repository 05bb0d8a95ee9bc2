/** No pause is longer. */
const MAX_BACKOFF_S = 60;

/**
 * Pause before the attempt after `failures` failures in a row: evenly spread over [0, min(2^failures, 60)] seconds,
 * in ms. Full jitter, because workers that failed together must not come back together.
 * @param random in [0, 1)
 */
export function backoffMs(failures: number, random: () => number): number {
  return Math.floor(random() * Math.min(2 ** failures, MAX_BACKOFF_S) * 1_000);
}
