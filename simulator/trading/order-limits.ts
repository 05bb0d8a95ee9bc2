import type { Clock } from '#shared/clock.ts';
import { KiteError } from '../rest/kite-error.ts';

const PER_SECOND = 10;
const PER_MINUTE = 400;
const PER_DAY = 5_000;

/**
 * Placements of one user over all apps: 10 in any second, 400 in any minute (machine time), 5,000 a day (kite.trade forum 16217).
 * Refused ones do not count toward the first two; whatever was invalid or rejected counts toward the day.
 */
export class OrderLimits {
  readonly #clock: Clock;
  readonly #recent = new Map<string, number[]>();
  readonly #today = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one placement that makes `orders` orders of the day. @throws KiteError 429 */
  take(userId: string, orders: number): void {
    const wallMs = this.#clock.wallMs();
    const recent = (this.#recent.get(userId) ?? []).filter((at) => at > wallMs - 60_000);
    this.#recent.set(userId, recent);
    if (recent.filter((at) => at > wallMs - 1000).length >= PER_SECOND) throw tooMany('10 orders a second');
    if (recent.length >= PER_MINUTE) throw tooMany('400 orders a minute');
    const today = this.#today.get(userId) ?? 0;
    if (today + orders > PER_DAY) {
      throw new KiteError(
        429,
        'NetworkException',
        'Maximum allowed order requests exceeded: 5000 orders a day',
      );
    }
    recent.push(wallMs);
    this.#today.set(userId, today + orders);
  }

  newDay(): void {
    this.#today.clear();
  }

  reset(): void {
    this.#recent.clear();
    this.#today.clear();
  }
}

const tooMany = (limit: string) => new KiteError(429, 'NetworkException', `Too many requests: ${limit}`);
