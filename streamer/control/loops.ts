import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '#shared/within.ts';
import type { StreamerLogger } from '../log.ts';

export interface LoopState {
  readonly name: string;
  /** False: what streams goes on without it, so that its failing is no reason to end the process. */
  readonly isVital: boolean;
  runs: number;
  failures: number;
  failuresInRow: number;
  lastError: string | undefined;
}

export interface LoopOptions {
  /** A turn that takes longer counts as failed and is not waited for any more. */
  readonly timeoutMs?: number;
  /** Longest pause after failures. */
  readonly maxPauseMs?: number;
  readonly isVital?: boolean;
}

interface Loop {
  readonly state: LoopState;
  readonly turn: () => Promise<void>;
  isRunning: boolean;
  isPoked: boolean;
  timer: NodeJS.Timeout | undefined;
}

const MAX_BACKOFF_MS = 30_000;
const TURN_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 1_000;

/**
 * Background work that must go on: each loop runs again after its pause, one that throws or hangs is logged, counted
 * and tried again with growing pauses, and health shows it.
 */
export class Loops {
  readonly #logger: StreamerLogger;
  readonly #loops = new Map<string, Loop>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(logger: StreamerLogger) {
    this.#logger = logger;
  }

  get states(): readonly LoopState[] {
    return [...this.#loops.values()].map((loop) => loop.state);
  }

  /** Runs `work` now and then `pauseMs` after each end. */
  start(
    name: string,
    pauseMs: number | (() => number),
    work: () => Promise<void> | void,
    options: LoopOptions = {},
  ): void {
    const { timeoutMs = TURN_TIMEOUT_MS, isVital = true } = options;
    const state = { name, isVital, runs: 0, failures: 0, failuresInRow: 0, lastError: undefined };
    const pause = () => {
      const normalMs = typeof pauseMs === 'number' ? pauseMs : pauseMs();
      const maxMs = options.maxPauseMs ?? Math.max(MAX_BACKOFF_MS, normalMs);
      return Math.min(normalMs * 2 ** Math.min(loop.state.failuresInRow, 10), maxMs);
    };
    const turn = async () => {
      loop.isRunning = true;
      loop.isPoked = false;
      await this.#tried(loop.state, () => within(timeoutMs, `a turn of ${name}`, attempt(work)));
      loop.isRunning = false;
      if (this.#stopped) return;
      loop.timer = setTimeout(() => this.#track(turn()), loop.isPoked ? 0 : pause());
    };
    const loop: Loop = { state, turn, isRunning: false, isPoked: false, timer: undefined };
    this.#loops.set(name, loop);
    this.#track(turn());
  }

  isFailing(name: string): boolean {
    return (this.#loops.get(name)?.state.failuresInRow ?? 0) > 0;
  }

  /** Does not wait out the pause; a turn under way is followed by another one at once. */
  poke(name: string): void {
    const loop = this.#loops.get(name);
    if (loop === undefined || this.#stopped || loop.isPoked) return;
    loop.isPoked = true;
    if (loop.isRunning) return;
    clearTimeout(loop.timer);
    this.#track(loop.turn());
  }

  /** No turn begins after this; waits for those under way, but not for one that hangs. */
  async stop(timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#loops.values()) clearTimeout(timer);
    await Promise.race([Promise.all(this.#running), sleep(timeoutMs, undefined, { ref: false })]);
  }

  async #tried(state: LoopState, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      state.failuresInRow = 0;
      state.lastError = undefined;
    } catch (error) {
      state.failures += 1;
      state.failuresInRow += 1;
      state.lastError = error instanceof Error ? error.message : String(error);
      // The first, the second, the fourth: a loop without back-off must not flood the log.
      if (Number.isInteger(Math.log2(state.failuresInRow))) {
        this.#logger.error(
          { loop: state.name, error: state.lastError, failures: state.failures },
          'a loop failed',
        );
      }
    }
    state.runs += 1;
  }

  #track(turn: Promise<void>): void {
    this.#running.add(turn);
    void turn.finally(() => this.#running.delete(turn));
  }
}

/** Runs at once; what it throws becomes the promise's. */
async function attempt(work: () => Promise<void> | void): Promise<void> {
  await work();
}
