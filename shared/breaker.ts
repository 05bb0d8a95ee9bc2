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

/**
 * Circuit breaker over an injected clock, with the synchronous calls that a hot path needs: `tryEnter` before
 * the work, then `succeeded` or `failed` exactly once.
 */
export class Breaker {
  readonly #settings: BreakerSettings;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #state: BreakerState = 'closed';
  #failures = 0;
  #sinceMs = 0;
  #probesEntered = 0;
  #probesSucceeded = 0;

  constructor(settings: BreakerSettings, clock: Pick<Clock, 'wallMs'>) {
    this.#settings = settings;
    this.#clock = clock;
  }

  get state(): BreakerState {
    this.#advance();
    return this.#state;
  }

  /** Whether the work may be done now; in half-open it takes one of the probes. */
  tryEnter(): boolean {
    this.#advance();
    if (this.#state === 'closed') return true;
    if (this.#state === 'open' || this.#probesEntered >= this.#settings.probes) return false;
    this.#probesEntered += 1;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    if (this.#state !== 'half_open') return;
    this.#probesSucceeded += 1;
    if (this.#probesSucceeded >= this.#settings.probes) this.#turn('closed');
  }

  failed(): void {
    this.#failures += 1;
    const tooMany = this.#state === 'closed' && this.#failures >= this.#settings.failuresToOpen;
    if (tooMany || this.#state === 'half_open') this.#turn('open');
  }

  /** Open becomes half-open after its time; probes that never reported give their places back after as long. */
  #advance(): void {
    if (this.#state === 'closed') return;
    if (this.#clock.wallMs() - this.#sinceMs >= this.#settings.openMs) this.#turn('half_open');
  }

  #turn(state: BreakerState): void {
    this.#state = state;
    this.#sinceMs = this.#clock.wallMs();
    this.#failures = 0;
    this.#probesEntered = 0;
    this.#probesSucceeded = 0;
  }
}
