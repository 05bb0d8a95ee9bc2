import type { FeedReason } from '#shared/accounts/types.ts';
import { Latch, type LatchSettings } from './latch.ts';

/** Trouble as the table has it, or should have it. */
export interface Trouble {
  readonly reason: FeedReason;
  /** Market time at which it began. */
  readonly sinceMs: number;
}

/** A process that slept saw nothing meanwhile: no step counts for more. */
const MAX_STEP_MS = 5_000;

/**
 * Decides what the table should say of an account. Two kinds of trouble are timed apart, because they cost readers
 * differently: the whole account is away (session, feed), or a part of its instruments is (capacity).
 */
export class FeedJudge {
  readonly #whole: Latch;
  readonly #part: Latch;
  #wholeReason: FeedReason;
  #lastMs: number | undefined;

  /** @param told what the table says already */
  constructor(settings: LatchSettings, told: Trouble | undefined) {
    const isWhole = told !== undefined && told.reason !== 'capacity';
    this.#whole = new Latch(settings, isWhole ? told.sinceMs : undefined);
    this.#part = new Latch(settings, told?.sinceMs);
    this.#wholeReason = isWhole ? told.reason : 'feed';
  }

  /** How it is now; undefined: all well. */
  observe(reason: FeedReason | undefined, nowMs: number, steadyMs: number): void {
    const stepMs = Math.min(steadyMs - (this.#lastMs ?? steadyMs), MAX_STEP_MS);
    this.#lastMs = steadyMs;
    const isWhole = reason !== undefined && reason !== 'capacity';
    // The reason that is told stays: what moves away does not care what else goes wrong meanwhile.
    if (isWhole && !this.#whole.isOn) this.#wholeReason = reason;
    this.#whole.observe(isWhole, stepMs, nowMs);
    this.#part.observe(reason !== undefined, stepMs, nowMs);
  }

  /** What the table should say. */
  get trouble(): Trouble | undefined {
    if (this.#whole.isOn) return { reason: this.#wholeReason, sinceMs: this.#whole.sinceMs ?? 0 };
    if (this.#part.isOn) return { reason: 'capacity', sinceMs: this.#part.sinceMs ?? 0 };
    return undefined;
  }
}
