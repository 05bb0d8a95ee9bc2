import { expiryMs } from '#shared/market/calendar.ts';
import { type OptionType, optionPrice } from '#shared/market/greeks.ts';
import { gaussian, nameSeed } from '#shared/random.ts';
import { DAY_MS, istDayNumber, istMidnightMs, MINUTE_MS, type PricePath } from './path.ts';
import type { RecordedContract, Recording } from './recording.ts';

/** Interest of the whole simulated market, a fraction a year; NSE's own convention, and no dividends. */
export const MARKET_RATE = 0.1;
export const DIVIDEND_YIELD = 0;
const YEAR_MS = 365 * DAY_MS;

/** The nearest multiple of the tick, in rupees with at most four decimals. */
export function roundTo(price: number, tick: number): number {
  return Math.round(Math.round(price / tick) * tick * 10_000) / 10_000;
}

/**
 * Prices of one instrument. They are fixed at every whole minute; within a minute they pass two more points
 * (20 s and 40 s) and stay between each pair, so that a candle needs four numbers and never lies.
 */
export interface PriceSource {
  readonly tick: number;
  /** Shared by all instruments of an underlying: between two points they move together. */
  readonly weightSeed: number;
  /** Price at a whole minute. */
  markAt(minuteMs: number): number;
  /** How far the point at 20 s or 40 s (`third` 1 or 2) lies off the straight line, in rupees. */
  swing(minuteMs: number, third: number, from: number, to: number): number;
}

/** A straight line between two recorded minutes is bent by up to about this share of their distance. */
const RECORDED_BEND = 0.25;
/** Standard deviation after a third of a minute, as a share of a day's: sqrt(0.8 / 385 min * 1/3 * 2/3). */
const SWING_SHARE = 0.0215;

export function bend(weightSeed: number, minuteMs: number, third: number, from: number, to: number): number {
  return RECORDED_BEND * gaussian(weightSeed, minuteMs / MINUTE_MS, third) * (to - from);
}

/** Minute index within the recording; past its end the last minute stands, until the day ends. */
export function recordedIndex(recording: Recording, ms: number): number | undefined {
  if (ms < recording.fromMs || istDayNumber(ms) !== istDayNumber(recording.fromMs)) return undefined;
  return Math.floor((Math.min(ms, recording.toMs) - recording.fromMs) / MINUTE_MS);
}

const KEPT_DAYS = 4;

/** An index or a share: its own path, or the recorded spot while there is one. */
export class SpotPrices implements PriceSource {
  readonly tick: number;
  readonly weightSeed: number;
  readonly #path: PricePath;
  readonly #recording: Recording | undefined;
  readonly #days = new Map<number, Float64Array>();

  constructor(seed: number, path: PricePath, tick: number, recording?: Recording) {
    this.weightSeed = nameSeed(seed, 'within the minute');
    this.tick = tick;
    this.#path = path;
    this.#recording = recording;
  }

  markAt(minuteMs: number): number {
    const day = istDayNumber(minuteMs);
    const marks = this.#marksOf(day);
    const index = Math.floor((minuteMs - istMidnightMs(day)) / MINUTE_MS);
    const known = marks[index]!;
    if (!Number.isNaN(known)) return known;
    const mark =
      this.#recorded(minuteMs) ?? Math.max(this.tick, roundTo(this.#path.priceAt(minuteMs), this.tick));
    marks[index] = mark;
    return mark;
  }

  swing(minuteMs: number, third: number, from: number, to: number): number {
    if (this.#recorded(minuteMs) !== undefined) return bend(this.weightSeed, minuteMs, third, from, to);
    const sigma = this.#path.volatilityOf(istDayNumber(minuteMs)) * SWING_SHARE;
    return gaussian(this.weightSeed, minuteMs / MINUTE_MS, third) * sigma * from;
  }

  #recorded(ms: number): number | undefined {
    if (this.#recording === undefined) return undefined;
    const index = recordedIndex(this.#recording, ms);
    return index === undefined ? undefined : this.#recording.spot[index];
  }

  #marksOf(day: number): Float64Array {
    let marks = this.#days.get(day);
    if (marks === undefined) {
      if (this.#days.size >= KEPT_DAYS) this.#days.delete(this.#days.keys().next().value!);
      marks = new Float64Array(DAY_MS / MINUTE_MS).fill(Number.NaN);
      this.#days.set(day, marks);
    }
    return marks;
  }
}

/** A future stands at the spot carried to its expiry. */
export class FuturePrices implements PriceSource {
  readonly tick: number;
  readonly weightSeed: number;
  readonly #spot: SpotPrices;
  readonly #expiryMs: number;

  constructor(spot: SpotPrices, expiry: string, tick: number) {
    this.weightSeed = spot.weightSeed;
    this.tick = tick;
    this.#spot = spot;
    this.#expiryMs = expiryMs(expiry);
  }

  markAt(minuteMs: number): number {
    const years = Math.max(0, this.#expiryMs - minuteMs) / YEAR_MS;
    return roundTo(this.#spot.markAt(minuteMs) * Math.exp((MARKET_RATE - DIVIDEND_YIELD) * years), this.tick);
  }

  swing(minuteMs: number, third: number): number {
    return spotSwing(this.#spot, minuteMs, third);
  }
}

/** The at-the-money volatility of an underlying at a whole minute, as a fraction a year. */
export type VolatilitySource = (minuteMs: number) => number;

export interface OptionTerms {
  readonly type: OptionType;
  readonly strike: number;
  readonly expiry: string;
  readonly tick: number;
}

/**
 * One smile per expiry, z being the strike's distance in standard deviations (kept within 4): a parabola with the
 * skew of an index. Very short options stand a little higher.
 */
export function smile(atm: number, spot: number, strike: number, years: number): number {
  const time = Math.max(years, 1 / 365);
  const forward = spot * Math.exp((MARKET_RATE - DIVIDEND_YIELD) * years);
  const z = Math.max(-4, Math.min(4, Math.log(strike / forward) / (atm * Math.sqrt(time))));
  const term = 1 + 0.12 * Math.exp((-years * 365) / 4);
  return atm * term * (1 - 0.06 * z + 0.035 * z * z);
}

/** An option priced off its expiry's smile, or at one fixed volatility of its own. */
export class OptionPrices implements PriceSource {
  readonly tick: number;
  readonly weightSeed: number;
  readonly #terms: OptionTerms;
  readonly #spot: SpotPrices;
  readonly #volatility: VolatilitySource;
  readonly #ownIv: number;
  readonly #expiryMs: number;
  #deltaOfMs = -1;
  #delta = 0;

  /** `ownIv` 0: the smile. */
  constructor(terms: OptionTerms, spot: SpotPrices, volatility: VolatilitySource, ownIv = 0) {
    this.weightSeed = spot.weightSeed;
    this.tick = terms.tick;
    this.#terms = terms;
    this.#spot = spot;
    this.#volatility = volatility;
    this.#ownIv = ownIv;
    this.#expiryMs = expiryMs(terms.expiry);
  }

  markAt(minuteMs: number): number {
    const { type, strike } = this.#terms;
    const spot = this.#spot.markAt(minuteMs);
    const years = (this.#expiryMs - minuteMs) / YEAR_MS;
    const fair =
      years > 0
        ? optionPrice(type, spot, strike, years, this.#iv(spot, years, minuteMs), MARKET_RATE, DIVIDEND_YIELD)
        : Math.max(0, type === 'CE' ? spot - strike : strike - spot);
    return Math.max(this.tick, roundTo(fair, this.tick));
  }

  swing(minuteMs: number, third: number): number {
    const years = (this.#expiryMs - minuteMs) / YEAR_MS;
    if (years <= 0) return 0;
    if (minuteMs !== this.#deltaOfMs) {
      this.#deltaOfMs = minuteMs;
      this.#delta = this.#deltaAt(minuteMs, years);
    }
    return this.#delta * spotSwing(this.#spot, minuteMs, third);
  }

  #iv(spot: number, years: number, minuteMs: number): number {
    return this.#ownIv > 0 ? this.#ownIv : smile(this.#volatility(minuteMs), spot, this.#terms.strike, years);
  }

  /** The logistic curve is close enough to the normal's for a swing of some seconds. */
  #deltaAt(minuteMs: number, years: number): number {
    const spot = this.#spot.markAt(minuteMs);
    const deviation = this.#iv(spot, years, minuteMs) * Math.sqrt(years);
    const d1 = (Math.log(spot / this.#terms.strike) + MARKET_RATE * years) / deviation + deviation / 2;
    const call = 1 / (1 + Math.exp(-1.702 * d1));
    return this.#terms.type === 'CE' ? call : call - 1;
  }
}

function spotSwing(spot: SpotPrices, minuteMs: number, third: number): number {
  return spot.swing(minuteMs, third, spot.markAt(minuteMs), spot.markAt(minuteMs + MINUTE_MS));
}

/** A recorded option: the recording's prices on its day from its first minute on, the model's at any other time. */
export class RecordedPrices implements PriceSource {
  readonly tick: number;
  readonly weightSeed: number;
  readonly #recording: Recording;
  readonly #contract: RecordedContract;
  readonly #model: PriceSource;

  constructor(recording: Recording, contract: RecordedContract, model: PriceSource) {
    this.tick = model.tick;
    this.weightSeed = model.weightSeed;
    this.#recording = recording;
    this.#contract = contract;
    this.#model = model;
  }

  markAt(minuteMs: number): number {
    const index = recordedIndex(this.#recording, minuteMs);
    return index === undefined ? this.#model.markAt(minuteMs) : this.#contract.ltp[index]!;
  }

  swing(minuteMs: number, third: number, from: number, to: number): number {
    const index = recordedIndex(this.#recording, minuteMs);
    if (index === undefined) return this.#model.swing(minuteMs, third, from, to);
    return bend(this.weightSeed, minuteMs, third, from, to);
  }
}
