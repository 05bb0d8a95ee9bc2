const BUCKETS = 12;

/** When frames with ticks came on one connection, and how many in the minute before the newest one. */
export class FlowMeter {
  readonly #bucketMs: number;
  readonly #counts = new Uint32Array(BUCKETS);
  #newest = 0;
  /** Steady time at which the link opened. */
  startedMs = 0;
  /** Steady time of the newest frame; 0 before the first since the link opened. */
  lastMs = 0;

  /** @param windowMs how far back frames count */
  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  restart(nowMs: number): void {
    this.#counts.fill(0);
    this.startedMs = nowMs;
    this.#newest = Math.floor(nowMs / this.#bucketMs);
    this.lastMs = 0;
  }

  mark(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    while (this.#newest < bucket) {
      if (bucket - this.#newest > BUCKETS) this.#newest = bucket - BUCKETS;
      this.#newest += 1;
      this.#counts[this.#newest % BUCKETS] = 0;
    }
    this.#counts[bucket % BUCKETS]! += 1;
    this.lastMs = nowMs;
  }

  /** Mean distance of two frames before the newest one. */
  get meanGapMs(): number {
    const frames = this.#counts.reduce((sum, count) => sum + count, 0);
    if (frames === 0) return Number.POSITIVE_INFINITY;
    const livedMs = this.lastMs - this.startedMs;
    return Math.min(livedMs, this.#bucketMs * BUCKETS) / frames;
  }
}
