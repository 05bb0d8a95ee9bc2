import type { StreamerLogger } from '../log.ts';

export interface LoopState {
  readonly name: string;
  runs: number;
  failures: number;
  failuresInRow: number;
  lastError: string | undefined;
}

const MAX_BACKOFF_MS = 30_000;

/**
 * Background work that must go on: each loop runs again after its pause, one that throws is logged, counted and
 * tried again with growing pauses, and health shows it.
 */
export class Loops {
  readonly #logger: StreamerLogger;
  readonly #states: LoopState[] = [];
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(logger: StreamerLogger) {
    this.#logger = logger;
  }

  get states(): readonly LoopState[] {
    return this.#states;
  }

  /** Runs `work` now and then `pauseMs` after each end. */
  start(name: string, pauseMs: number, work: () => Promise<void> | void): void {
    const state: LoopState = { name, runs: 0, failures: 0, failuresInRow: 0, lastError: undefined };
    this.#states.push(state);
    const turn = async () => {
      try {
        await work();
        state.failuresInRow = 0;
        state.lastError = undefined;
      } catch (error) {
        state.failures += 1;
        state.failuresInRow += 1;
        state.lastError = error instanceof Error ? error.message : String(error);
        this.#logger.error({ loop: name, error: state.lastError, failures: state.failures }, 'a loop failed');
      }
      state.runs += 1;
      if (this.#stopped) return;
      const waitMs = Math.min(
        pauseMs * 2 ** Math.min(state.failuresInRow, 10),
        Math.max(MAX_BACKOFF_MS, pauseMs),
      );
      this.#timers.set(
        name,
        setTimeout(() => this.#track(turn()), waitMs),
      );
    };
    this.#track(turn());
  }

  /** No turn begins after this; waits for those under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  #track(turn: Promise<void>): void {
    this.#running.add(turn);
    void turn.finally(() => this.#running.delete(turn));
  }
}
