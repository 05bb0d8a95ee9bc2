/** Timers that end together: nothing happens after a reset or a close. */
export class Later {
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Runs after `ms` of machine time, at once where that is 0. */
  after(ms: number, action: () => void): void {
    if (ms <= 0) {
      action();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
