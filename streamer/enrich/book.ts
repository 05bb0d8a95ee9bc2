import type { Instrument } from '#shared/market/instrument.ts';
import { indexRow, underlyingOf } from '#shared/market/underlyings.ts';
import { ForwardBook } from './forwards.ts';
import type { PricerSettings } from './pricer.ts';
import { type PricingRates, Slot } from './slot.ts';

export interface BookSettings extends PricerSettings, PricingRates {}

/**
 * The instruments of one account. The index that options are priced on is held with them, whether anybody
 * claimed it or not.
 */
export class Book {
  readonly forwards: ForwardBook;
  readonly #settings: BookSettings;
  readonly #slots = new Map<number, Slot>();
  /** Options that hang on an underlying's token. */
  readonly #dependants = new Map<number, Set<Slot>>();

  constructor(settings: BookSettings) {
    this.#settings = settings;
    this.forwards = new ForwardBook(settings);
  }

  get(token: number): Slot | undefined {
    return this.#slots.get(token);
  }

  get slots(): Iterable<Slot> {
    return this.#slots.values();
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Instruments somebody claimed. */
  get publishedCount(): number {
    let count = 0;
    for (const slot of this.#slots.values()) if (slot.published) count += 1;
    return count;
  }

  /** Adds a claimed instrument; returns tokens that must now be streamed for pricing alone. */
  publish(instrument: Instrument): number[] {
    const known = this.#slots.get(instrument.instrument_token);
    if (known !== undefined) {
      known.published = true;
      return [];
    }
    const slot = this.#add(instrument, true);
    return slot.option === undefined ? [] : this.#attach(slot);
  }

  /** Ends a claim; returns tokens that need not be streamed any more. */
  withdraw(token: number): number[] {
    const slot = this.#slots.get(token);
    if (slot === undefined || !slot.published) return [];
    slot.published = false;
    slot.seq = 0;
    if (this.#dependants.has(token)) return [];
    this.#drop(slot);
    return [token, ...(slot.option === undefined ? [] : this.#detach(slot))];
  }

  #add(instrument: Instrument, published: boolean): Slot {
    const slot = new Slot(instrument, published, this.#settings.model, this.#settings);
    this.#slots.set(slot.token, slot);
    return slot;
  }

  #drop(slot: Slot): void {
    slot.removed = true;
    this.#slots.delete(slot.token);
  }

  #attach(slot: Slot): number[] {
    this.forwards.add(slot);
    const underlying = underlyingOf(slot.instrument.name);
    if (underlying === undefined) return [];
    const token = underlying.instrument_token;
    const known = this.#slots.get(token);
    const spot = known ?? this.#add(indexRow(underlying), false);
    slot.option!.underlying = spot;
    const dependants = this.#dependants.get(token) ?? new Set();
    dependants.add(slot);
    this.#dependants.set(token, dependants);
    return known === undefined ? [token] : [];
  }

  #detach(slot: Slot): number[] {
    this.forwards.remove(slot);
    const spot = slot.option?.underlying;
    if (spot === undefined) return [];
    const dependants = this.#dependants.get(spot.token);
    dependants?.delete(slot);
    if (dependants === undefined || dependants.size > 0) return [];
    this.#dependants.delete(spot.token);
    if (spot.published) return [];
    this.#drop(spot);
    return [spot.token];
  }
}
