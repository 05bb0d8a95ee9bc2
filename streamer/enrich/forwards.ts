import { FIELD } from '../feed/decode.ts';
import { marketPrice, type PricerSettings, valueTimeMs } from './pricer.ts';
import type { Slot } from './slot.ts';

interface Pair {
  readonly strike: number;
  call: Slot | undefined;
  put: Slot | undefined;
}

interface Chain {
  /** By strike, ascending. */
  readonly pairs: Pair[];
}

const MS_PER_YEAR = 365 * 86_400_000;

/**
 * Forwards from put-call parity, F = K + e^(rT) (C - P), at the strike nearest to spot of which call and put both
 * have a price. One chain an underlying and expiry.
 */
export class ForwardBook {
  readonly #settings: PricerSettings;
  readonly #chains = new Map<string, Chain>();

  constructor(settings: PricerSettings) {
    this.#settings = settings;
  }

  add(slot: Slot): void {
    const chain = this.#chainOf(slot);
    const at = firstNotBelow(chain.pairs, slot.instrument.strike);
    let pair = chain.pairs[at];
    if (pair?.strike !== slot.instrument.strike) {
      pair = { strike: slot.instrument.strike, call: undefined, put: undefined };
      chain.pairs.splice(at, 0, pair);
    }
    if (slot.instrument.instrument_type === 'CE') pair.call = slot;
    else pair.put = slot;
  }

  remove(slot: Slot): void {
    const chain = this.#chainOf(slot);
    const at = firstNotBelow(chain.pairs, slot.instrument.strike);
    const pair = chain.pairs[at];
    if (pair?.strike !== slot.instrument.strike) return;
    if (pair.call === slot) pair.call = undefined;
    if (pair.put === slot) pair.put = undefined;
    if (pair.call === undefined && pair.put === undefined) chain.pairs.splice(at, 1);
  }

  /** The forward of the option's expiry in rupees, 0 when no pair gives one. */
  forward(slot: Slot): number {
    const option = slot.option;
    const spot = option?.underlying;
    if (option === undefined || spot === undefined) return 0;
    const price = spot.fields[FIELD.last_price]! * spot.unit;
    const pair = this.#nearestPair(this.#chainOf(slot).pairs, price);
    if (pair === undefined) return 0;
    const years = (option.expiryMs - valueTimeMs(slot)) / MS_PER_YEAR;
    const difference = marketPrice(pair.call!, this.#settings) - marketPrice(pair.put!, this.#settings);
    return pair.strike + Math.exp(option.terms.rate * Math.max(years, 0)) * difference;
  }

  #chainOf(slot: Slot): Chain {
    const key = `${slot.instrument.name} ${slot.instrument.expiry}`;
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      chain = { pairs: [] };
      this.#chains.set(key, chain);
    }
    return chain;
  }

  #nearestPair(pairs: readonly Pair[], price: number): Pair | undefined {
    let above = firstNotBelow(pairs, price);
    let below = above - 1;
    while (below >= 0 || above < pairs.length) {
      const takeAbove =
        below < 0 || (above < pairs.length && pairs[above]!.strike - price < price - pairs[below]!.strike);
      const pair = pairs[takeAbove ? above : below]!;
      if (this.#isPriced(pair.call) && this.#isPriced(pair.put)) return pair;
      if (takeAbove) above += 1;
      else below -= 1;
    }
    return undefined;
  }

  #isPriced(slot: Slot | undefined): boolean {
    return slot !== undefined && slot.packetLength !== 0 && marketPrice(slot, this.#settings) > 0;
  }
}

function firstNotBelow(pairs: readonly Pair[], strike: number): number {
  let low = 0;
  let high = pairs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pairs[middle]!.strike < strike) low = middle + 1;
    else high = middle;
  }
  return low;
}
