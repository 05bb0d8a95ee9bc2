/**
 * Two times that must never be mixed up.
 *
 * `nowMs` is market time: epoch milliseconds on the exchange's clock. Locally it follows the simulator's
 * clock, which may be shifted or run at 60x. Sessions, expiries, tick and event timestamps use it.
 *
 * `wallMs` is this machine's time: epoch milliseconds that always run at 1x and agree between hosts. Leases,
 * order deadlines and everything that waits for real work use it, so that a replay at 60x does not expire
 * an order after one second.
 */
export interface Clock {
  nowMs(): number;
  wallMs(): number;
}

/**
 * `steadyMs` counts on from a point of its own and never jumps, whatever is done to the machine's time; it means
 * nothing to another process. It measures how long something lasts.
 */
export interface SteadyClock extends Clock {
  steadyMs(): number;
}

/** Market time is the machine's time: what runs in AWS. */
export function systemClock(): SteadyClock {
  return { nowMs: () => Date.now(), wallMs: () => Date.now(), steadyMs: () => performance.now() };
}

/** A reading of another process's market clock: at `wallMs` it showed `nowMs` and ran at `speed`. */
export interface ClockReading {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly speed: number;
}

/** A clock that continues the newest reading; before the first one it is the system clock. */
export class FollowingClock implements SteadyClock {
  #reading: ClockReading | undefined;

  set(reading: ClockReading): void {
    this.#reading = reading;
  }

  nowMs(): number {
    const wallMs = Date.now();
    const reading = this.#reading;
    if (reading === undefined) return wallMs;
    return Math.floor(reading.nowMs + (wallMs - reading.wallMs) * reading.speed);
  }

  wallMs(): number {
    return Date.now();
  }

  steadyMs(): number {
    return performance.now();
  }
}

/** A clock for tests, moved by hand; all times move together, until the machine's is set. */
export class ManualClock implements SteadyClock {
  #ms: number;
  #steadyMs = 0;

  constructor(startMs: number) {
    this.#ms = startMs;
  }

  advance(ms: number): void {
    this.#ms += ms;
    this.#steadyMs += ms;
  }

  /** Somebody sets the machine's time. */
  jump(ms: number): void {
    this.#ms += ms;
  }

  nowMs(): number {
    return this.#ms;
  }

  wallMs(): number {
    return this.#ms;
  }

  steadyMs(): number {
    return this.#steadyMs;
  }
}
