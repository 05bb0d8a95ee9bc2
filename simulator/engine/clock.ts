import type { ExchangeClock } from '#simulator/contracts.ts';

export type MarketOverride = 'open' | 'closed' | 'auto';

export interface SimClockOptions {
  /** Epoch ms shown at the start; default the machine's time. */
  readonly nowMs?: number;
  readonly speed?: number;
  readonly market?: MarketOverride;
  /** Market time at which the speed falls to 1: the end of a replay, so that 06:00 does not come after minutes. */
  readonly slowDownAtMs?: number;
  readonly wallMs?: () => number;
}

export class ClockInputError extends Error {
  readonly code = 'clock_input_invalid';
}

/** The latest time the broker's packets can carry: seconds in 32 bits. */
const LATEST_MS = 0xffff_ffff * 1000;
export const MAX_SPEED = 10_000;

/** Market time that runs at any speed from any start; 0 stands still and is stepped by `set`. */
export class SimClock implements ExchangeClock {
  readonly #wall: () => number;
  readonly #slowDownAtMs: number | undefined;
  #baseMs: number;
  #baseWallMs: number;
  #speed: number;
  #market: MarketOverride;
  #overriddenAtMs: number;

  constructor(options: SimClockOptions = {}) {
    this.#wall = options.wallMs ?? Date.now;
    this.#slowDownAtMs = options.slowDownAtMs;
    this.#baseWallMs = this.#wall();
    this.#baseMs = checkedTime(options.nowMs ?? this.#baseWallMs);
    this.#speed = checkedSpeed(options.speed ?? 1);
    this.#market = options.market ?? 'auto';
    this.#overriddenAtMs = this.#baseMs;
  }

  nowMs(): number {
    return Math.floor(this.#settle());
  }

  wallMs(): number {
    return this.#wall();
  }

  get speed(): number {
    this.#settle();
    return this.#speed;
  }

  get market(): MarketOverride {
    return this.#market;
  }

  /** When the override last changed: a market that is held closed shows the prices of that moment. */
  get overriddenAtMs(): number {
    return this.#overriddenAtMs;
  }

  /** @throws ClockInputError when a time or a speed is not usable; nothing is changed then. */
  set(change: { nowMs?: number; speed?: number; market?: MarketOverride }): void {
    const now = change.nowMs === undefined ? this.#settle() : checkedTime(change.nowMs);
    const speed = change.speed === undefined ? this.speed : checkedSpeed(change.speed);
    this.#baseMs = now;
    this.#baseWallMs = this.#wall();
    this.#speed = speed;
    if (change.market !== undefined && change.market !== this.#market) {
      this.#market = change.market;
      this.#overriddenAtMs = now;
    }
  }

  /** Market time now; passing the slow-down point starts a new base there, at speed 1. */
  #settle(): number {
    const wallMs = this.#wall();
    const now = this.#baseMs + (wallMs - this.#baseWallMs) * this.#speed;
    const slowAt = this.#slowDownAtMs;
    if (this.#speed <= 1 || slowAt === undefined || this.#baseMs >= slowAt || now < slowAt) return now;
    this.#baseWallMs += (slowAt - this.#baseMs) / this.#speed;
    this.#baseMs = slowAt;
    this.#speed = 1;
    return this.#baseMs + (wallMs - this.#baseWallMs);
  }
}

function checkedTime(ms: number): number {
  if (Number.isFinite(ms) && ms >= 0 && ms <= LATEST_MS) return ms;
  throw new ClockInputError(`now must be a time between 1970 and 2106, got ${ms}`);
}

function checkedSpeed(speed: number): number {
  if (Number.isFinite(speed) && speed >= 0 && speed <= MAX_SPEED) return speed;
  throw new ClockInputError(`speed must be a number from 0 to ${MAX_SPEED}, got ${speed}`);
}
