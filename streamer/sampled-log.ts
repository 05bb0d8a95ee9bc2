import type { SteadyClock } from '#shared/clock.ts';
import type { StreamerLogger } from './log.ts';

const SAMPLE_EVERY_MS = 1_000;

/** Warnings of which there may be thousands a second: at most one line a second of each kind. */
export class SampledLog {
  readonly #logger: Pick<StreamerLogger, 'warn'>;
  readonly #clock: Pick<SteadyClock, 'steadyMs'>;
  readonly #sampled = new Map<string, number>();

  constructor(logger: Pick<StreamerLogger, 'warn'>, clock: Pick<SteadyClock, 'steadyMs'>) {
    this.#logger = logger;
    this.#clock = clock;
  }

  warn(kind: string, details: Record<string, unknown>, message: string): void {
    const nowMs = this.#clock.steadyMs();
    const before = this.#sampled.get(kind);
    if (before !== undefined && nowMs - before < SAMPLE_EVERY_MS) return;
    this.#sampled.set(kind, nowMs);
    this.#logger.warn(details, message);
  }
}
