interface Instrument {
  lastMs: number;
  longestMs: number;
}

/** The longest time without a tick of each instrument since the last `restart`, on this process's monotonic clock. */
export class Pauses {
  readonly #instruments = new Map<number, Instrument>();

  arrived(token: number, nowMs: number): void {
    const known = this.#instruments.get(token);
    if (known === undefined) {
      this.#instruments.set(token, { lastMs: nowMs, longestMs: 0 });
      return;
    }
    known.longestMs = Math.max(known.longestMs, nowMs - known.lastMs);
    known.lastMs = nowMs;
  }

  /** A pause that goes on is counted from its beginning, before the restart. */
  restart(): void {
    for (const each of this.#instruments.values()) each.longestMs = 0;
  }

  /** ms, a pause that goes on included; undefined for an instrument that never ticked. */
  longestOf(token: number, nowMs: number): number | undefined {
    const known = this.#instruments.get(token);
    return known === undefined ? undefined : Math.max(known.longestMs, nowMs - known.lastMs);
  }
}
