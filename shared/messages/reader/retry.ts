const BASE_MS = 50;
const MAX_MS = 1_000;

/** Back-off with jitter: readers of a server that comes back do not all come at once. */
export function retryDelayMs(times: number): number {
  return Math.min(times * BASE_MS, MAX_MS) * (0.5 + Math.random() / 2);
}
