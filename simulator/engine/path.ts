import { IST_OFFSET_MS } from '#shared/market/calendar.ts';
import { gaussian, uniform } from '#shared/random.ts';

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** Days since 1 Jan 1970 in India. */
export function istDayNumber(ms: number): number {
  return Math.floor((ms + IST_OFFSET_MS) / DAY_MS);
}

export function istMidnightMs(dayNumber: number): number {
  return dayNumber * DAY_MS - IST_OFFSET_MS;
}

/** [minute of the day in India, share of the day's activity until then]: busy at the open and towards the close. */
const PROFILE: readonly (readonly [number, number])[] = [
  [0, 0],
  [555, 0.1],
  [600, 0.28],
  [690, 0.45],
  [810, 0.58],
  [870, 0.68],
  [940, 0.9],
  [1440, 1],
];

/** How much of a day's activity (variance, volume) is expected to have passed: 0 at midnight, 1 at the next. */
export function activityShare(msOfDay: number): number {
  const minute = msOfDay / MINUTE_MS;
  let i = 1;
  while (i < PROFILE.length - 1 && minute > PROFILE[i]![0]) i++;
  const [m0, s0] = PROFILE[i - 1]!;
  const [m1, s1] = PROFILE[i]!;
  return s0 + ((s1 - s0) * (minute - m0)) / (m1 - m0);
}

const BRIDGE_DEPTH = 11;
const CASCADE_DEPTH = 9;

/**
 * A Brownian bridge between two values over [0, 1], evaluated at one point. The variance is split unevenly at every
 * halving (a multiplicative cascade), which is what makes quiet and wild stretches cluster.
 */
export function bridge(seed: number, from: number, to: number, variance: number, at: number): number {
  let a = from;
  let b = to;
  let v = variance;
  let x = at;
  let node = 1;
  for (let depth = 0; depth < BRIDGE_DEPTH; depth++) {
    const w = 0.5 + 0.36 * (uniform(seed, node, 1) - 0.5);
    const middle = a + (b - a) * w + gaussian(seed, node, 2) * Math.sqrt(v * w * (1 - w));
    if (x < 0.5) {
      b = middle;
      v *= w;
      x *= 2;
      node *= 2;
    } else {
      a = middle;
      v *= 1 - w;
      x = x * 2 - 1;
      node = node * 2 + 1;
    }
  }
  return a + (b - a) * x;
}

/** A rising random share: 0 at 0, 1 at 1, clustered like the bridge's variance. What a day's volume follows. */
export function cascade(seed: number, at: number): number {
  let done = 0;
  let mass = 1;
  let x = at;
  let node = 1;
  for (let depth = 0; depth < CASCADE_DEPTH; depth++) {
    const w = 0.5 + 0.5 * (uniform(seed, node, 3) - 0.5);
    if (x < 0.5) {
      mass *= w;
      x *= 2;
      node *= 2;
    } else {
      done += mass * w;
      mass *= 1 - w;
      x = x * 2 - 1;
      node = node * 2 + 1;
    }
  }
  return done + mass * x;
}

export interface PathOptions {
  readonly seed: number;
  /** The path goes through `anchorPrice` at `anchorMs`. */
  readonly anchorMs: number;
  readonly anchorPrice: number;
  /** Standard deviation of a day's log return. */
  readonly dailyVolatility: number;
  /** Share of the distance to the anchor that a day takes back: keeps a level believable over years. */
  readonly pull: number;
}

/**
 * A price of any moment as a pure function of the seed: days step at midnight (volatility clustered over days), and
 * within a day a bridge joins the two midnights. Defined around the clock, so that a market held open at night moves.
 */
export class PricePath {
  readonly #options: PathOptions;
  readonly #anchorDay: number;
  readonly #anchorLog: number;
  readonly #forward: number[] = [0];
  readonly #backward: number[] = [0];

  constructor(options: PathOptions) {
    this.#options = options;
    this.#anchorDay = istDayNumber(options.anchorMs);
    this.#anchorLog = this.#log(options.anchorMs);
  }

  priceAt(ms: number): number {
    return this.#options.anchorPrice * Math.exp(this.#log(ms) - this.#anchorLog);
  }

  /** The day's standard deviation of log returns. */
  volatilityOf(dayNumber: number): number {
    const { seed, dailyVolatility } = this.#options;
    const slow = gaussian(seed, dayNumber >> 4, 11) * 0.25;
    const middle = gaussian(seed, dayNumber >> 2, 12) * 0.2;
    return dailyVolatility * Math.exp(slow + middle + gaussian(seed, dayNumber, 13) * 0.15);
  }

  #log(ms: number): number {
    const day = istDayNumber(ms);
    const share = activityShare(ms - istMidnightMs(day));
    const variance = this.volatilityOf(day) ** 2;
    return bridge(this.#options.seed ^ day, this.#node(day), this.#node(day + 1), variance, share);
  }

  #node(dayNumber: number): number {
    const steps = dayNumber - this.#anchorDay;
    const nodes = steps >= 0 ? this.#forward : this.#backward;
    const direction = steps >= 0 ? 1 : -1;
    for (let i = nodes.length; i <= Math.abs(steps); i++) {
      const from = this.#anchorDay + direction * (i - 1);
      const stepDay = direction > 0 ? from : from - 1;
      const step = this.volatilityOf(stepDay) * gaussian(this.#options.seed, stepDay, 14);
      nodes.push(nodes[i - 1]! * (1 - this.#options.pull) + direction * step);
    }
    return nodes[Math.abs(steps)]!;
  }
}
