import type { Depth, DepthLevel } from '#shared/market/snapshot.ts';
import { hash, uniform } from '#shared/random.ts';
import { roundTo } from './prices.ts';

const LEVELS = 5;
const NOTHING: DepthLevel = { price: 0, quantity: 0, orders: 0 };
export const EMPTY_DEPTH: Depth = {
  buy: Array.from({ length: LEVELS }, () => NOTHING),
  sell: Array.from({ length: LEVELS }, () => NOTHING),
};

export interface BookOptions {
  readonly seed: number;
  readonly price: number;
  readonly tick: number;
  readonly lot: number;
  /** Seconds between two trades: what trades rarely stands wider and thinner. */
  readonly periodS: number;
  /** Changes the quantities: the trade's own time. */
  readonly moment: number;
}

/**
 * Five levels a side, as far below the last price as above it, so that the middle of the book is the last price.
 * At one tick there is no room below: the best bid stands at the price itself.
 */
export function bookAround({ seed, price, tick, lot, periodS, moment }: BookOptions): Depth {
  const half = Math.max(1, Math.round((price * spread(periodS)) / tick));
  const step = Math.max(1, Math.round(half / 2));
  const buy: DepthLevel[] = [];
  const sell: DepthLevel[] = [];
  for (let i = 0; i < LEVELS; i++) {
    const distance = (half + i * step) * tick;
    const bid = i === 0 && price - distance < tick ? Math.min(price, tick) : price - distance;
    buy.push(level(bid, tick, lot, periodS, hash(seed, moment, i)));
    sell.push(level(price + distance, tick, lot, periodS, hash(seed, moment, i + LEVELS)));
  }
  return { buy, sell };
}

/** Half the spread as a share of the price. */
function spread(periodS: number): number {
  if (periodS <= 2) return 0.0003;
  return periodS <= 10 ? 0.0015 : 0.005;
}

function level(price: number, tick: number, lot: number, periodS: number, random: number): DepthLevel {
  const rounded = roundTo(price, tick);
  if (rounded < tick) return NOTHING;
  const most = Math.max(2, Math.round(60 / periodS));
  const lots = 1 + (random % most);
  return { price: rounded, quantity: lots * lot, orders: 1 + ((random >>> 16) % lots) };
}

/** Quantity of all orders of one side: that of the book and what stands behind it. */
export function totalQuantity(
  side: readonly DepthLevel[],
  seed: number,
  moment: number,
  lot: number,
): number {
  let shown = 0;
  for (const { quantity } of side) shown += quantity;
  const behind = shown * (6 + 6 * uniform(seed, Math.floor(moment / 30), 61));
  return shown === 0 ? 0 : shown + Math.floor(behind / lot) * lot;
}
