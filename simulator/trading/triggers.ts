import type { Market, Quote } from '../contracts.ts';

/** Conditions that wait for prices: each watches its instruments and is asked again at every change. */
export class TriggerWatch<Item> {
  readonly #market: Market;
  readonly #due: (item: Item, quote: Quote) => void;
  readonly #stops = new Map<Item, (() => void)[]>();

  constructor(market: Market, due: (item: Item, quote: Quote) => void) {
    this.#market = market;
    this.#due = due;
  }

  /** Asks at every change of these instruments from now on. */
  add(item: Item, instrumentTokens: readonly number[]): void {
    this.remove(item);
    const stops = instrumentTokens.map((token) =>
      this.#market.watch(token, (quote) => this.#due(item, quote)),
    );
    this.#stops.set(item, stops);
  }

  remove(item: Item): void {
    for (const stop of this.#stops.get(item) ?? []) stop();
    this.#stops.delete(item);
  }

  clear(): void {
    for (const item of [...this.#stops.keys()]) this.remove(item);
  }
}
