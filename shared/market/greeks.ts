import { INV_SQRT_2PI, normalCdf, upperTail } from './normal.ts';

export type OptionType = 'CE' | 'PE';

/**
 * `black_scholes_spot`: NSE's convention, the underlying is the index itself.
 * `black76_forward`: the underlying is a forward of the option's expiry; Greeks are towards that forward.
 */
export type PricingModel = 'black_scholes_spot' | 'black76_forward';
export const PRICING_MODELS: readonly PricingModel[] = ['black_scholes_spot', 'black76_forward'];

/** What an option is worth, apart from volatility. Prices in rupees, `years` to expiry, rates as fractions a year. */
export interface OptionTerms {
  readonly model: PricingModel;
  readonly type: OptionType;
  /** Spot or forward, as the model says. */
  readonly underlying: number;
  readonly strike: number;
  readonly years: number;
  readonly rate: number;
  /** Continuous yield of the spot; of no meaning on a forward. */
  readonly dividendYield: number;
}

/** Why a price has no implied volatility. */
export const IV_FAILURES = [
  'no_price',
  'no_underlying',
  'expired',
  'below_intrinsic',
  'above_maximum',
  'no_convergence',
] as const;
export type IvFailure = (typeof IV_FAILURES)[number];

/** delta and gamma a rupee of the underlying, theta a calendar day, vega a volatility point, rho a 1 % point. */
export interface Greeks {
  readonly delta: number;
  readonly gamma: number;
  readonly theta: number;
  readonly vega: number;
  readonly rho: number;
}

/** Where `solveOption` and `priceOption` leave their answer. */
export const GREEK = { iv: 0, delta: 1, gamma: 2, theta: 3, vega: 4, rho: 5, price: 6 } as const;
/** Room for the answer and for what one evaluation of Black's formula leaves to the Greeks. */
export const GREEKS_LENGTH = 11;
const NEAR_TAIL = 7;
const FAR_TAIL = 8;
const DENSITY = 9;
const TIME_VALUE = 10;

const DAYS_PER_YEAR = 365;
const MAX_ITERATIONS = 100;
/** Of the smaller of forward and strike: well inside what the sum of two rounded terms can resolve. */
const PRICE_TOLERANCE = 1e-14;
/** Of the total volatility sigma * sqrt(years): beyond it a price is its own maximum in double precision. */
const MAX_TOTAL_VOLATILITY = 80;

export function newGreeksBuffer(): Float64Array {
  return new Float64Array(GREEKS_LENGTH);
}

/**
 * Undiscounted value of the option that is out of the money, where `low` <= `high` are forward and strike in
 * either order: low N(a) - high N(b), a = -x/w + w/2, b = a - w, x = ln(high/low). Calls and puts are the
 * same function of the sorted pair, and being out of the money there is no intrinsic value to cancel against.
 */
function evaluateTimeValue(out: Float64Array, low: number, high: number, x: number, w: number): void {
  const a = w * 0.5 - x / w;
  const b = a - w;
  const e = Math.exp(-0.5 * a * a);
  const tailA = upperTail(Math.abs(a), e);
  const nearTail = a > 0 ? 1 - tailA : tailA;
  // low * density(a) = high * density(b): the second exponential is not needed.
  const farTail = upperTail(-b, (e * low) / high);
  out[NEAR_TAIL] = nearTail;
  out[FAR_TAIL] = farTail;
  out[DENSITY] = e * INV_SQRT_2PI;
  out[TIME_VALUE] = low * nearTail - high * farTail;
}

/**
 * Finds the total volatility at which the out-of-the-money option is worth `target`, by Halley's method within a
 * bracket. A step that leaves the bracket goes to sqrt(2x) first, where the price as a function of volatility
 * turns from convex to concave and Newton's method converges from either side (Manaster and Koehler 1982),
 * and bisects after that. Leaves the evaluation at the root in `out`.
 * @returns NaN when it does not converge
 */
function solveTotalVolatility(
  out: Float64Array,
  low: number,
  high: number,
  target: number,
  guess: number,
): number {
  const x = Math.log(high / low);
  const turningPoint = Math.sqrt(2 * x);
  const tolerance = PRICE_TOLERANCE * low;
  let lower = 0;
  let upper = MAX_TOTAL_VOLATILITY;
  // Without a guess: the turning point, or what an at-the-money option's price says about its volatility.
  let w = guess > 0 && guess < upper ? guess : Math.max(turningPoint, target / (low * INV_SQRT_2PI));
  if (!(w < upper)) w = upper * 0.5;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration += 1) {
    evaluateTimeValue(out, low, high, x, w);
    const excess = out[TIME_VALUE]! - target;
    if (Math.abs(excess) <= tolerance) return w;
    if (excess > 0) upper = w;
    else lower = w;
    if (upper - lower <= 1e-15 * upper) return w;
    const newton = -excess / (low * out[DENSITY]!);
    const a = w * 0.5 - x / w;
    const curvature = 1 + (0.5 * newton * a * (a - w)) / w;
    // Far from the root the second-order term is no guide.
    let next = w + (curvature > 0.5 && curvature < 2 ? newton / curvature : newton);
    if (!(next > lower && next < upper)) {
      next = turningPoint > lower && turningPoint < upper ? turningPoint : 0.5 * (lower + upper);
    }
    w = next;
  }
  return Number.NaN;
}

/** Prices and Greeks from the evaluation that `out` holds for the total volatility `w`. */
function writeGreeks(out: Float64Array, terms: OptionTerms, forward: number, discount: number, w: number) {
  const { strike, years, rate, dividendYield } = terms;
  const isCall = terms.type === 'CE';
  const isSpot = terms.model === 'black_scholes_spot';
  const strikeIsHigh = forward <= strike;
  const nearTail = out[NEAR_TAIL]!;
  const farTail = out[FAR_TAIL]!;
  // N(d1), N(d2) of a call; N(-d1), N(-d2) of a put.
  const outOfTheMoney = strikeIsHigh === isCall;
  const n1 = outOfTheMoney ? (isCall ? nearTail : farTail) : 1 - (isCall ? farTail : nearTail);
  const n2 = outOfTheMoney ? (isCall ? farTail : nearTail) : 1 - (isCall ? nearTail : farTail);
  const density = strikeIsHigh ? out[DENSITY]! : (out[DENSITY]! * strike) / forward;
  const sign = isCall ? 1 : -1;
  const intrinsic = Math.max(sign * (forward - strike), 0);
  const price = discount * (out[TIME_VALUE]! + intrinsic);
  // What one rupee more of the underlying adds to the discounted forward.
  const carry = isSpot ? (discount * forward) / terms.underlying : discount;
  const forwardLeg = discount * forward * n1;
  const strikeLeg = discount * strike * n2;
  const decay = (-discount * forward * density * w) / (2 * years);
  const interest = isSpot ? sign * (dividendYield * forwardLeg - rate * strikeLeg) : rate * price;
  out[GREEK.iv] = w / Math.sqrt(years);
  out[GREEK.delta] = sign * carry * n1;
  out[GREEK.gamma] = (carry * density) / (terms.underlying * w);
  out[GREEK.theta] = (decay + interest) / DAYS_PER_YEAR;
  out[GREEK.vega] = (discount * forward * density * Math.sqrt(years)) / 100;
  out[GREEK.rho] = (isSpot ? sign * years * strikeLeg : -years * price) / 100;
  out[GREEK.price] = price;
}

function forwardOf(terms: OptionTerms): number {
  if (terms.model === 'black76_forward') return terms.underlying;
  return terms.underlying * Math.exp((terms.rate - terms.dividendYield) * terms.years);
}

function unusable(terms: OptionTerms): IvFailure | undefined {
  if (!(terms.underlying > 0 && terms.underlying < Number.POSITIVE_INFINITY)) return 'no_underlying';
  if (!(terms.years > 0)) return 'expired';
  return undefined;
}

/**
 * Implied volatility of `price` and the Greeks at it, written into `out` (see GREEK).
 * @param guess volatility to start from, a fraction a year; 0 for none
 * @returns undefined, or why there is none, and then `out` holds nothing of use
 */
export function solveOption(
  out: Float64Array,
  terms: OptionTerms,
  price: number,
  guess: number,
): IvFailure | undefined {
  if (!(price > 0)) return 'no_price';
  const reason = unusable(terms);
  if (reason !== undefined) return reason;
  const forward = forwardOf(terms);
  const discount = Math.exp(-terms.rate * terms.years);
  const { strike } = terms;
  const intrinsic = Math.max(terms.type === 'CE' ? forward - strike : strike - forward, 0);
  const timeValue = price / discount - intrinsic;
  const low = Math.min(forward, strike);
  if (!(timeValue > PRICE_TOLERANCE * low)) return 'below_intrinsic';
  if (!(timeValue < low * (1 - PRICE_TOLERANCE))) return 'above_maximum';
  const high = Math.max(forward, strike);
  const w = solveTotalVolatility(out, low, high, timeValue, guess * Math.sqrt(terms.years));
  if (Number.isNaN(w)) return 'no_convergence';
  writeGreeks(out, terms, forward, discount, w);
  return undefined;
}

/**
 * Price and Greeks at a known volatility, written into `out`.
 * @returns undefined, or why there are none
 */
export function priceOption(out: Float64Array, terms: OptionTerms, sigma: number): IvFailure | undefined {
  const reason = unusable(terms);
  if (reason !== undefined) return reason;
  const w = sigma * Math.sqrt(terms.years);
  if (!(w > 0)) return 'no_price';
  const forward = forwardOf(terms);
  const discount = Math.exp(-terms.rate * terms.years);
  const low = Math.min(forward, terms.strike);
  const high = Math.max(forward, terms.strike);
  evaluateTimeValue(out, low, high, Math.log(high / low), w);
  writeGreeks(out, terms, forward, discount, w);
  return undefined;
}

export function readGreeks(out: Float64Array): Greeks {
  return {
    delta: out[GREEK.delta]!,
    gamma: out[GREEK.gamma]!,
    theta: out[GREEK.theta]!,
    vega: out[GREEK.vega]!,
    rho: out[GREEK.rho]!,
  };
}

/** Black's formula on a forward. At or past expiry, or without volatility: the discounted intrinsic value. */
export function forwardOptionPrice(
  type: OptionType,
  forward: number,
  strike: number,
  years: number,
  sigma: number,
  rate: number,
): number {
  const sign = type === 'CE' ? 1 : -1;
  const discount = Math.exp(-rate * Math.max(years, 0));
  const w = sigma * Math.sqrt(Math.max(years, 0));
  if (!(w > 0)) return discount * Math.max(sign * (forward - strike), 0);
  const d1 = Math.log(forward / strike) / w + w / 2;
  return discount * sign * (forward * normalCdf(sign * d1) - strike * normalCdf(sign * (d1 - w)));
}

/**
 * Black-Scholes-Merton price on spot, in the currency of spot and strike.
 * At or past expiry: the intrinsic value; without volatility: the discounted intrinsic value of the forward.
 */
export function optionPrice(
  type: OptionType,
  spot: number,
  strike: number,
  years: number,
  sigma: number,
  rate: number,
  dividendYield: number,
): number {
  const forward = spot * Math.exp((rate - dividendYield) * Math.max(years, 0));
  return forwardOptionPrice(type, forward, strike, years, sigma, rate);
}
