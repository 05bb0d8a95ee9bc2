import type { Clock } from '#shared/clock.ts';
import { KiteError } from './kite-error.ts';

/** The broker's classes and their calls a second per api_key (kite.trade/docs/connect/v3/exceptions). */
const CLASS_LIMITS = { quote: 1, historical: 3, other: 10 } as const;
export type LimitClass = keyof typeof CLASS_LIMITS;

/** Calls in the last second of machine time, however fast the market's clock runs. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #recent = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws KiteError 429 when the class has no call left in this second. */
  take(limitClass: LimitClass, apiKey: string): void {
    const wallMs = this.#clock.wallMs();
    const key = `${limitClass}:${apiKey}`;
    const recent = (this.#recent.get(key) ?? []).filter((at) => at > wallMs - 1000);
    this.#recent.set(key, recent);
    if (recent.length >= CLASS_LIMITS[limitClass]) {
      throw new KiteError(429, 'NetworkException', 'Too many requests');
    }
    recent.push(wallMs);
  }

  reset(): void {
    this.#recent.clear();
  }
}
