import type { Streamer } from '#streamer/streamer.ts';

const LOOK_MS = 10;
/** Every instrument ticks about once a second: a pause beyond this is one that health tells of. */
const PAUSE_MS = 1_200;

/** Looks at health often and remembers the exchange seconds for which it said that ticks did not flow. */
export class HealthWatch {
  readonly quiet = new Set<number>();
  readonly #timer: NodeJS.Timeout;

  constructor(streamer: Streamer, nowMs: () => number) {
    this.#timer = setInterval(() => this.#look(streamer.report(), nowMs()), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look({ accounts }: ReturnType<Streamer['report']>, nowMs: number): void {
    for (const { status, last_tick_at } of accounts) {
      const lastMs = last_tick_at === null ? nowMs : Date.parse(last_tick_at);
      if (status === 'ok' && nowMs - lastMs < PAUSE_MS) continue;
      // A round's ticks carry its beginning and leave within the second after it.
      for (let second = Math.floor(lastMs / 1_000) - 1; second <= nowMs / 1_000; second += 1) {
        this.quiet.add(second);
      }
    }
  }
}
