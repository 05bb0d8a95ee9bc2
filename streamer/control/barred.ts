import type { SteadyClock } from '#shared/clock.ts';

interface Bar {
  readonly holder: string;
  readonly untilMs: number;
  readonly doublings: number;
}

const MAX_DOUBLINGS = 6;

/**
 * Which streamer is not counted on for which account, because it let it lie or could not begin it: for a while, and
 * twice as long each further time, so that an account whose streamer fails is dark ever more rarely.
 */
export class Barred {
  readonly #firstMs: number;
  readonly #clock: Pick<SteadyClock, 'steadyMs'>;
  /** By account_id. */
  readonly #bars = new Map<string, Bar>();

  constructor(firstMs: number, clock: Pick<SteadyClock, 'steadyMs'>) {
    this.#firstMs = firstMs;
    this.#clock = clock;
  }

  has(accountId: string, holder: string): boolean {
    const bar = this.#bars.get(accountId);
    return bar?.holder === holder && this.#clock.steadyMs() < bar.untilMs;
  }

  note(accountId: string, holder: string): void {
    const before = this.#bars.get(accountId);
    const nowMs = this.#clock.steadyMs();
    // Over for as long as it lasted, it is forgotten.
    const isAgain = before?.holder === holder && nowMs < before.untilMs + this.#lengthMs(before.doublings);
    const doublings = isAgain ? Math.min(before.doublings + 1, MAX_DOUBLINGS) : 0;
    const untilMs = nowMs + this.#lengthMs(doublings);
    this.#bars.set(accountId, { holder, untilMs, doublings });
  }

  #lengthMs(doublings: number): number {
    return this.#firstMs * 2 ** doublings;
  }

  /** The account streams with that holder. */
  lift(accountId: string, holder: string): void {
    if (this.#bars.get(accountId)?.holder === holder) this.#bars.delete(accountId);
  }
}
