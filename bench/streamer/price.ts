import { GREEK, newGreeksBuffer, optionPrice, solveOption } from '#shared/market/greeks.ts';
import { atMost, type Figure } from '../figure.ts';
import { mulberry32 } from './universe.ts';

const CONTRACTS = 2_000;
const PASSES = 500;
const SPOT = 25_000;

/** IV and five Greeks of one contract, started from the volatility of its last tick; and how exact the IV is. */
export async function priceTime(): Promise<Figure[]> {
  const random = mulberry32(1);
  const contracts = Array.from({ length: CONTRACTS }, (_, index) => {
    const type = index % 2 === 0 ? ('CE' as const) : ('PE' as const);
    const strike = SPOT + (Math.floor(random() * 80) - 40) * 50;
    const years = (1 + Math.floor(random() * 30)) / 365;
    const sigma = 0.1 + 0.2 * random();
    const terms = {
      model: 'black_scholes_spot' as const,
      type,
      underlying: SPOT,
      strike,
      years,
      rate: 0.1,
      dividendYield: 0,
    };
    // The warm start is what it was a tick ago: a fraction of a volatility point away.
    return {
      terms,
      price: optionPrice(type, SPOT, strike, years, sigma, 0.1, 0),
      warm: sigma * (1 + 0.01 * (random() - 0.5)),
    };
  });
  const out = newGreeksBuffer();
  const pass = () => {
    for (const { terms, price, warm } of contracts) solveOption(out, terms, price, warm);
  };
  for (let index = 0; index < PASSES / 10; index += 1) pass();
  const startedMs = performance.now();
  for (let index = 0; index < PASSES; index += 1) pass();
  const microseconds = ((performance.now() - startedMs) * 1_000) / (PASSES * CONTRACTS);
  let worst = 0;
  for (const { terms, price, warm } of contracts) {
    if (solveOption(out, terms, price, warm) !== undefined) continue;
    const { type, strike, years } = terms;
    worst = Math.max(
      worst,
      Math.abs(optionPrice(type, SPOT, strike, years, out[GREEK.iv]!, 0.1, 0) - price) / SPOT,
    );
  }
  return [atMost('price_us', microseconds, 'us', 0.5), atMost('price_error_of_iv', worst, 'of spot', 1e-10)];
}
