import { uniform } from '#shared/random.ts';
import { MINUTE_MS } from './path.ts';
import { type PriceSource, roundTo } from './prices.ts';

const THIRD_MS = MINUTE_MS / 3;

/**
 * Prices of a minute, from its start to its end: at 0, 20, 40 and 60 s. What trades once a minute has only the two
 * ends. Every other price lies between two neighbours, so these are enough for open, high, low and close.
 */
export function minutePoints(
  source: PriceSource,
  minuteMs: number,
  periodMs: number,
  from = source.markAt(minuteMs),
): readonly number[] {
  const to = source.markAt(minuteMs + MINUTE_MS);
  if (periodMs >= MINUTE_MS) return [from, to];
  return [from, innerPoint(source, minuteMs, 1, from, to), innerPoint(source, minuteMs, 2, from, to), to];
}

function innerPoint(source: PriceSource, minuteMs: number, third: number, from: number, to: number): number {
  const straight = from + ((to - from) * third) / 3;
  const price = straight + source.swing(minuteMs, third, from, to);
  return Math.max(source.tick, roundTo(price, source.tick));
}

/** Prices of one instrument at any second, and its session's open, high and low, found by moving forward. */
export class Tape {
  readonly source: PriceSource;
  #minuteMs = -1;
  #points: readonly number[] = [];
  #openMs = -1;
  #mergedToMs = 0;
  #open = 0;
  /** The price at `mergedToMs`. */
  #mark = 0;
  #mergedHigh = 0;
  #mergedLow = 0;
  high = 0;
  low = 0;

  constructor(source: PriceSource) {
    this.source = source;
  }

  get open(): number {
    return this.#open;
  }

  priceAt(ms: number): number {
    const minuteMs = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
    const inMinute = ms - minuteMs;
    if (inMinute === 0) return this.source.markAt(minuteMs);
    if (minuteMs !== this.#minuteMs) {
      this.#points = minutePoints(this.source, minuteMs, THIRD_MS);
      this.#minuteMs = minuteMs;
    }
    const third = Math.floor(inMinute / THIRD_MS);
    const share = inMinute / THIRD_MS - third;
    const from = this.#points[third]!;
    if (share === 0) return from;
    const to = this.#points[third + 1]!;
    return roundTo(from + (to - from) * this.#weight(ms, share), this.source.tick);
  }

  /** Brings open, high and low of the session that began at `openMs` up to `ms`; trades fall every `periodMs`. */
  advance(openMs: number, ms: number, periodMs: number): void {
    if (openMs !== this.#openMs || ms < this.#mergedToMs) this.#restart(openMs);
    while (this.#mergedToMs + MINUTE_MS <= ms) {
      const points = minutePoints(this.source, this.#mergedToMs, periodMs, this.#mark);
      for (const point of points) this.#merge(point);
      this.#mark = points.at(-1)!;
      this.#mergedToMs += MINUTE_MS;
    }
    this.high = this.#mergedHigh;
    this.low = this.#mergedLow;
    for (let at = this.#mergedToMs; at <= ms; at += periodMs) {
      const price = this.priceAt(at);
      if (price > this.high) this.high = price;
      if (price < this.low) this.low = price;
    }
  }

  #restart(openMs: number): void {
    this.#openMs = openMs;
    this.#mergedToMs = openMs;
    this.#open = this.source.markAt(openMs);
    this.#mark = this.#open;
    this.#mergedHigh = this.#open;
    this.#mergedLow = this.#open;
  }

  #merge(price: number): void {
    if (price > this.#mergedHigh) this.#mergedHigh = price;
    if (price < this.#mergedLow) this.#mergedLow = price;
  }

  /** Near the share of the time that has passed, never outside [0, 1]: prices stay between the two points. */
  #weight(ms: number, share: number): number {
    const jitter = uniform(this.source.weightSeed, ms / 1000, 31) - 0.5;
    return share + jitter * Math.min(share, 1 - share);
  }
}
