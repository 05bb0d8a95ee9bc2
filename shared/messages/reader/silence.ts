/** Tells which streams have gone quiet: each of them sends something at least once a second. */
export class Silence {
  readonly #afterMs: number;
  readonly #heardMs = new Map<string, number>();
  readonly #told = new Set<string>();
  #heardAnyMs: number;

  constructor(afterMs: number, nowMs: number) {
    this.#afterMs = afterMs;
    this.#heardAnyMs = nowMs;
  }

  heard(key: string, nowMs: number): void {
    this.#heardMs.set(key, nowMs);
    this.#heardAnyMs = nowMs;
    this.#told.delete(key);
  }

  /** Nobody could be heard until now: everybody gets the whole time again. */
  restart(nowMs: number): void {
    for (const key of this.#heardMs.keys()) this.#heardMs.set(key, nowMs);
    this.#heardAnyMs = nowMs;
  }

  /** Streams quiet for too long, each told once until it is heard again. */
  fallenSilent(nowMs: number): string[] {
    const silent = [...this.#heardMs]
      .filter(([key, heardMs]) => nowMs - heardMs > this.#afterMs && !this.#told.has(key))
      .map(([key]) => key);
    for (const key of silent) this.#told.add(key);
    return silent;
  }

  isAllSilent(nowMs: number): boolean {
    return nowMs - this.#heardAnyMs > this.#afterMs;
  }
}
