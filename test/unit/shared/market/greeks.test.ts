import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  forwardOptionPrice,
  GREEK,
  newGreeksBuffer,
  type OptionTerms,
  type OptionType,
  optionPrice,
  PRICING_MODELS,
  priceOption,
  readGreeks,
  solveOption,
} from '#shared/market/greeks.ts';

type Row = readonly [
  type: OptionType,
  underlying: number,
  strike: number,
  years: number,
  sigma: number,
  rate: number,
  dividendYield: number,
  price: number,
  delta: number,
  gamma: number,
  theta: number,
  vega: number,
  rho: number,
];

/**
 * The textbook formulas evaluated outside the project with Python's mpmath 1.3.0 at 50 digits and rounded to the nearest double;
 * the inputs are exact binary fractions or, as rates of 0.1, what a decimal 0.1 is at 50 digits. Theta is the
 * yearly one / 365, vega and rho the derivative / 100.
 */
const ON_SPOT: readonly Row[] = [
  [
    'CE',
    25000,
    25200,
    0.0625,
    0.125,
    0.1,
    0,
    290.9046832409144,
    0.4843031088881109,
    0.0005102507948558883,
    -10.063359625077954,
    24.91458959257267,
    7.385420649351162,
  ],
  [
    'PE',
    25000,
    25200,
    0.0625,
    0.125,
    0.1,
    0,
    333.8958469504616,
    -0.5156968911118891,
    0.0005102507948558883,
    -3.202266155568489,
    24.91458959257267,
    -8.266448827967306,
  ],
  [
    'CE',
    25000,
    20000,
    0.03125,
    0.25,
    0.1,
    0.015625,
    5050.198423146731,
    0.9995116938466216,
    6.92943360394802e-10,
    -4.392708687515212,
    3.3835125019277446e-5,
    6.230498100943378,
  ],
  [
    'PE',
    25000,
    20000,
    0.03125,
    0.5,
    0.1,
    0,
    3.2768358029036313,
    -0.004605382490480598,
    6.081235889537495e-6,
    -1.269192915242808,
    0.593870692337646,
    -0.03700356189528705,
  ],
  [
    'PE',
    81000,
    90000,
    0.5,
    0.1875,
    0.0625,
    0.03125,
    9127.635569887903,
    -0.7179408026509143,
    3.035360457220931e-5,
    -3.0490923475620173,
    186.7031246233737,
    -336.4042029230598,
  ],
  [
    'CE',
    25000,
    25050,
    0.0009765625,
    0.09375,
    0.1,
    0,
    11.416135747158203,
    0.2587555487403152,
    0.004417702771232121,
    -35.011863860672726,
    2.527829802264473,
    0.06306125569102267,
  ],
];
const ON_FORWARD: readonly Row[] = [
  [
    'CE',
    25000,
    25200,
    0.0625,
    0.125,
    0.1,
    0,
    221.6343485383872,
    0.40288866694475817,
    0.0004931340647619056,
    -6.536212988332612,
    24.07881175595242,
    -0.13852146783649202,
  ],
  [
    'PE',
    25000,
    25200,
    0.0625,
    0.125,
    0.1,
    0,
    420.3882466630662,
    -0.5908808236786366,
    0.0004931340647619056,
    -6.481759865558727,
    24.07881175595242,
    -0.26274265416441633,
  ],
  [
    'CE',
    25000,
    20000,
    0.03125,
    0.25,
    0.1,
    0,
    4984.3994290586315,
    0.9968796807507665,
    9.369720802847014e-10,
    1.3655387470408769,
    4.575058985765144e-5,
    -1.5576248215808222,
  ],
  [
    'PE',
    81000,
    90000,
    0.5,
    0.1875,
    0.0625,
    0,
    10052.68335436717,
    -0.7432194789135069,
    2.7615947946519406e-5,
    -7.004538971287858,
    169.86396982229422,
    -50.26341677183585,
  ],
  [
    'CE',
    25000,
    25050,
    0.0009765625,
    0.09375,
    0.1,
    0,
    10.797508738899712,
    0.24806338452326263,
    0.004320597587376357,
    -32.50902999144141,
    2.4722657703645843,
    -0.0001054444212783175,
  ],
];

function termsOf(row: Row, model: OptionTerms['model']): OptionTerms {
  const [type, underlying, strike, years, , rate, dividendYield] = row;
  return { model, type, underlying, strike, years, rate, dividendYield };
}

/** Twelve digits, or what a double of the option's scale can hold. */
function expectDigits(actual: number, expected: number, scale: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(1e-12 * Math.abs(expected) + 1e-15 * scale);
}

const cases = [
  ...ON_SPOT.map((row) => ({ row, model: 'black_scholes_spot' as const })),
  ...ON_FORWARD.map((row) => ({ row, model: 'black76_forward' as const })),
];

const terms = fc.record({
  model: fc.constantFrom(...PRICING_MODELS),
  type: fc.constantFrom<OptionType>('CE', 'PE'),
  underlying: fc.double({ min: 100, max: 100_000, noNaN: true }),
  moneyness: fc.double({ min: 0.7, max: 1.4, noNaN: true }),
  years: fc.double({ min: 5 / (365 * 86_400), max: 2, noNaN: true }),
  sigma: fc.double({ min: 0.01, max: 3, noNaN: true }),
  rate: fc.double({ min: 0, max: 0.15, noNaN: true }),
  dividendYield: fc.constantFrom(0, 0.0125),
});

function priceOf(option: OptionTerms, sigma: number): number {
  const { type, underlying, strike, years, rate, dividendYield } = option;
  return option.model === 'black76_forward'
    ? forwardOptionPrice(type, underlying, strike, years, sigma, rate)
    : optionPrice(type, underlying, strike, years, sigma, rate, dividendYield);
}

const SEED = { seed: 20260818, numRuns: 3_000 };

describe('prices and Greeks', () => {
  it.each(cases)('agree with 50-digit values: $model $row', ({ row, model }) => {
    const [, underlying, , , sigma, , , price, delta, gamma, theta, vega, rho] = row;
    const out = newGreeksBuffer();
    expect(priceOption(out, termsOf(row, model), sigma)).toBeUndefined();
    expectDigits(out[GREEK.price]!, price, underlying);
    expectDigits(priceOf(termsOf(row, model), sigma), price, underlying);
    const greeks = readGreeks(out);
    expectDigits(greeks.delta, delta, 1);
    expectDigits(greeks.gamma, gamma, 1e-3);
    expectDigits(greeks.theta, theta, underlying);
    expectDigits(greeks.vega, vega, underlying);
    expectDigits(greeks.rho, rho, underlying);
  });

  it('obey put-call parity in price, delta, gamma and vega', () => {
    const property = fc.property(terms, ({ moneyness, sigma, ...rest }) => {
      const option = { ...rest, strike: rest.underlying * moneyness };
      const call = newGreeksBuffer();
      const put = newGreeksBuffer();
      priceOption(call, { ...option, type: 'CE' }, sigma);
      priceOption(put, { ...option, type: 'PE' }, sigma);
      const discount = Math.exp(-option.rate * option.years);
      const isSpot = option.model === 'black_scholes_spot';
      const carry = isSpot ? Math.exp(-option.dividendYield * option.years) : discount;
      const parity = option.underlying * carry - option.strike * discount;
      const tolerance = 1e-12 * option.underlying;
      expect(Math.abs(call[GREEK.price]! - put[GREEK.price]! - parity)).toBeLessThan(tolerance);
      expect(call[GREEK.delta]! - put[GREEK.delta]!).toBeCloseTo(carry, 12);
      expect(Math.abs(call[GREEK.gamma]! - put[GREEK.gamma]!)).toBeLessThan(1e-12);
      expect(call[GREEK.vega]!).toBeCloseTo(put[GREEK.vega]!, 10);
    });
    fc.assert(property, SEED);
  });

  it('rise with volatility', () => {
    const property = fc.property(terms, ({ moneyness, sigma, ...rest }) => {
      const option = { ...rest, strike: rest.underlying * moneyness };
      expect(priceOf(option, sigma * 1.01)).toBeGreaterThanOrEqual(
        priceOf(option, sigma) - 1e-12 * rest.underlying,
      );
    });
    fc.assert(property, SEED);
  });

  it('fall for calls and rise for puts with the strike', () => {
    const property = fc.property(terms, ({ moneyness, sigma, ...rest }) => {
      const at = (strike: number) => priceOf({ ...rest, strike }, sigma);
      const strike = rest.underlying * moneyness;
      const change = at(strike * 1.001) - at(strike);
      expect(rest.type === 'CE' ? -change : change).toBeGreaterThanOrEqual(-1e-12 * rest.underlying);
    });
    fc.assert(property, SEED);
  });

  it('have Greeks that are the derivatives of the price', () => {
    const property = fc.property(terms, ({ moneyness, sigma, ...rest }) => {
      fc.pre(rest.years > 0.01 && sigma > 0.05);
      const option = { ...rest, strike: rest.underlying * moneyness };
      const out = newGreeksBuffer();
      priceOption(out, option, sigma);
      const slope = (change: (by: number) => number, by: number) => (change(by) - change(-by)) / (2 * by);
      const vega = slope((by) => priceOf(option, sigma + by), 1e-4) / 100;
      const rho = slope((by) => priceOf({ ...option, rate: option.rate + by }, sigma), 1e-4) / 100;
      const delta = slope(
        (by) => priceOf({ ...option, underlying: option.underlying + by }, sigma),
        option.underlying * 1e-4,
      );
      const theta =
        -slope((by) => priceOf({ ...option, years: option.years + by }, sigma), option.years * 1e-4) / 365;
      const scale = 1e-6 * option.underlying;
      expect(Math.abs(out[GREEK.vega]! - vega)).toBeLessThan(scale);
      expect(Math.abs(out[GREEK.rho]! - rho)).toBeLessThan(scale);
      expect(Math.abs(out[GREEK.theta]! - theta)).toBeLessThan(scale);
      expect(out[GREEK.delta]!).toBeCloseTo(delta, 4);
    });
    fc.assert(property, SEED);
  });
});

describe('implied volatility', () => {
  it('gives back the price to 1e-10 of the underlying from any start', () => {
    const guess = fc.constantFrom(0, 0.0001, 0.1, 1, 50);
    const property = fc.property(terms, guess, ({ moneyness, sigma, ...rest }, start) => {
      const option = { ...rest, strike: rest.underlying * moneyness };
      const price = priceOf(option, sigma);
      const out = newGreeksBuffer();
      const failure = solveOption(out, option, price, start);
      if (failure !== undefined) {
        // The price left no more time value than rounding: there is no volatility to be read from it.
        expect(failure).not.toBe('no_convergence');
        expect(priceOf(option, 1e-9)).toBeCloseTo(price, 6);
        return;
      }
      expect(Math.abs(priceOf(option, out[GREEK.iv]!) - price)).toBeLessThan(1e-10 * option.underlying);
    });
    fc.assert(property, SEED);
  });

  it('gives back the volatility where the price depends on it', () => {
    const property = fc.property(terms, ({ moneyness, sigma, ...rest }) => {
      const option = { ...rest, strike: rest.underlying * moneyness };
      const out = newGreeksBuffer();
      priceOption(out, option, sigma);
      const vega = out[GREEK.vega]!;
      fc.pre(vega > 1e-6 * option.underlying);
      expect(solveOption(out, option, priceOf(option, sigma), sigma * 1.3)).toBeUndefined();
      expect(out[GREEK.iv]!).toBeCloseTo(sigma, 7);
      expect(out[GREEK.vega]!).toBeCloseTo(vega, 5);
    });
    fc.assert(property, SEED);
  });

  const option: OptionTerms = {
    model: 'black_scholes_spot',
    type: 'CE',
    underlying: 25_000,
    strike: 24_000,
    years: 7 / 365,
    rate: 0.1,
    dividendYield: 0,
  };
  const out = newGreeksBuffer();

  it('is refused with a reason outside the no-arbitrage bounds', () => {
    expect(solveOption(out, option, 999, 0.1)).toBe('below_intrinsic');
    expect(solveOption(out, option, 25_001, 0.1)).toBe('above_maximum');
    expect(solveOption(out, { ...option, type: 'PE' }, 24_000, 0.1)).toBe('above_maximum');
    expect(solveOption(out, option, 0, 0.1)).toBe('no_price');
    expect(solveOption(out, option, Number.NaN, 0.1)).toBe('no_price');
    expect(solveOption(out, { ...option, underlying: 0 }, 1_100, 0.1)).toBe('no_underlying');
    expect(solveOption(out, { ...option, years: 0 }, 1_100, 0.1)).toBe('expired');
    expect(solveOption(out, { ...option, years: -1 }, 1_100, 0.1)).toBe('expired');
  });

  it('is found in the last second of the expiry day', () => {
    const last = { ...option, strike: 25_000, years: 1 / (365 * 86_400) };
    expect(solveOption(out, last, 0.55, 0.1)).toBeUndefined();
    expect(priceOf(last, out[GREEK.iv]!)).toBeCloseTo(0.55, 9);
  });

  it('is found for a tick of premium 20 % out of the money', () => {
    expect(solveOption(out, { ...option, strike: 30_000 }, 0.05, 0)).toBeUndefined();
    expect(priceOf({ ...option, strike: 30_000 }, out[GREEK.iv]!)).toBeCloseTo(0.05, 10);
  });
});

describe('an option at its end', () => {
  it('is worth what exercising it gives', () => {
    expect(optionPrice('CE', 25_010, 25_000, 0, 0.2, 0.1, 0)).toBe(10);
    expect(optionPrice('PE', 25_010, 25_000, 0, 0.2, 0.1, 0)).toBe(0);
    expect(optionPrice('PE', 24_990, 25_000, -1, 0.2, 0.1, 0)).toBe(10);
  });
});
