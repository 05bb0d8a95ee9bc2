const WINDOW_MS = 2_000;

/** How many ticks came a second, over the last two seconds. Times are ms of any steady clock. */
export class TickRate {
  readonly #counts: { readonly atMs: number; readonly count: number }[] = [];

  add(count: number, atMs: number): void {
    this.#counts.push({ atMs, count });
    this.#drop(atMs);
  }

  perSecond(nowMs: number): number {
    this.#drop(nowMs);
    return this.#counts.reduce((sum, { count }) => sum + count, 0) / (WINDOW_MS / 1_000);
  }

  #drop(nowMs: number): void {
    const kept = this.#counts.findIndex(({ atMs }) => atMs > nowMs - WINDOW_MS);
    this.#counts.splice(0, kept === -1 ? this.#counts.length : kept);
  }
}
