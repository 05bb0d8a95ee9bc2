const EVERY_MS = 10;

/**
 * The longest time for which the event loop did nothing else, since the last reading. Node's own histogram forgets at
 * its reset the stop that goes on just then, which is the one that whoever reads it waited for.
 */
export class LongestStop {
  readonly #timer: NodeJS.Timeout;
  #seenMs = performance.now();
  #longestMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#see(), EVERY_MS);
    this.#timer.unref();
  }

  /** ms; begins anew. */
  read(): number {
    this.#see();
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #see(): void {
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#seenMs - EVERY_MS);
    this.#seenMs = nowMs;
  }
}
