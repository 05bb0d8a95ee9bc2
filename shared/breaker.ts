import type { Clock } from './clock.ts';

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failuresToOpen: number;
  /** How long it stays open before it lets probes through. */
  readonly openMs: number;
  /** Successful probes that close it again, and how many may be under way at once. */
  readonly probes: number;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

/** All that a breaker knows: plain data, so that processes can share it. */
export interface BreakerFacts {
  readonly state: BreakerState;
  readonly failures: number;
  /** Wall time of the last turn, epoch ms. */
  readonly since_ms: number;
  readonly probes_entered: number;
  readonly probes_succeeded: number;
}

const turned = (state: BreakerState, wallMs: number): BreakerFacts => ({
  state,
  failures: 0,
  since_ms: wallMs,
  probes_entered: 0,
  probes_succeeded: 0,
});

export const CLOSED_BREAKER: BreakerFacts = turned('closed', 0);

/** Open becomes half-open after its time; probes that never reported give their places back after as long. */
export function afterWaiting(facts: BreakerFacts, settings: BreakerSettings, wallMs: number): BreakerFacts {
  const isDue = facts.state !== 'closed' && wallMs - facts.since_ms >= settings.openMs;
  return isDue ? turned('half_open', wallMs) : facts;
}

/** The facts after one more came through, or undefined where it must not. */
export function afterEntering(
  facts: BreakerFacts,
  settings: BreakerSettings,
  wallMs: number,
): BreakerFacts | undefined {
  const now = afterWaiting(facts, settings, wallMs);
  if (now.state === 'closed') return now;
  if (now.state === 'open' || now.probes_entered >= settings.probes) return undefined;
  return { ...now, probes_entered: now.probes_entered + 1 };
}

export function afterSuccess(facts: BreakerFacts, settings: BreakerSettings, wallMs: number): BreakerFacts {
  if (facts.state !== 'half_open') return facts.failures === 0 ? facts : { ...facts, failures: 0 };
  const probes_succeeded = facts.probes_succeeded + 1;
  return probes_succeeded >= settings.probes ? turned('closed', wallMs) : { ...facts, probes_succeeded };
}

export function afterFailure(facts: BreakerFacts, settings: BreakerSettings, wallMs: number): BreakerFacts {
  const failures = facts.failures + 1;
  const isTooMany = facts.state === 'closed' && failures >= settings.failuresToOpen;
  return isTooMany || facts.state === 'half_open' ? turned('open', wallMs) : { ...facts, failures };
}

/**
 * The breaker of one process, over an injected clock, with the synchronous calls that a hot path needs: `tryEnter`
 * before the work, then `succeeded` or `failed` exactly once.
 */
export class Breaker {
  readonly #settings: BreakerSettings;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #facts: BreakerFacts = CLOSED_BREAKER;

  constructor(settings: BreakerSettings, clock: Pick<Clock, 'wallMs'>) {
    this.#settings = settings;
    this.#clock = clock;
  }

  get state(): BreakerState {
    this.#facts = afterWaiting(this.#facts, this.#settings, this.#clock.wallMs());
    return this.#facts.state;
  }

  /** Whether the work may be done now; in half-open it takes one of the probes. */
  tryEnter(): boolean {
    const entered = afterEntering(this.#facts, this.#settings, this.#clock.wallMs());
    if (entered !== undefined) this.#facts = entered;
    return entered !== undefined;
  }

  succeeded(): void {
    this.#facts = afterSuccess(this.#facts, this.#settings, this.#clock.wallMs());
  }

  failed(): void {
    this.#facts = afterFailure(this.#facts, this.#settings, this.#clock.wallMs());
  }
}
