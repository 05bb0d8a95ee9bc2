import type { Instrument } from '#shared/market/instrument.ts';
import { type SymbolHash, symbolHash } from './symbol-hash.ts';

/** What a dump says of a row: its token names it, names another instrument, or names none. */
export type Naming = 'same' | 'other' | 'none';

/** Fibonacci hashing: tokens differ mostly in their upper bits. */
const SPREAD = 0x9e3779b1;

/**
 * Which symbol each token of a dump names: 12 bytes a place, twice as many places as rows, whatever is streamed. So
 * an instrument that is claimed at noon is checked without a look at the dump.
 */
export class TokenIndex {
  readonly #tokens: Uint32Array;
  readonly #a: Uint32Array;
  readonly #b: Uint32Array;
  readonly #mask: number;
  readonly #shift: number;

  /** `rows`: as many as will be added. */
  constructor(rows: number) {
    const bits = Math.max(4, Math.ceil(Math.log2(Math.max(1, rows) * 2)));
    this.#tokens = new Uint32Array(2 ** bits);
    this.#a = new Uint32Array(2 ** bits);
    this.#b = new Uint32Array(2 ** bits);
    this.#mask = 2 ** bits - 1;
    this.#shift = 32 - bits;
  }

  /** A token that comes twice names what it named last. */
  add(instrumentToken: number, symbol: SymbolHash): void {
    const place = this.#placeOf(instrumentToken);
    this.#tokens[place] = instrumentToken;
    this.#a[place] = symbol.a;
    this.#b[place] = symbol.b;
  }

  look(row: Pick<Instrument, 'instrument_token' | 'tradingsymbol' | 'exchange'>): Naming {
    const place = this.#placeOf(row.instrument_token);
    if (this.#tokens[place] === 0) return 'none';
    const { a, b } = symbolHash(row);
    return this.#a[place] === a >>> 0 && this.#b[place] === b >>> 0 ? 'same' : 'other';
  }

  /** Where the token stands, or the free place where it would. */
  #placeOf(instrumentToken: number): number {
    let place = Math.imul(instrumentToken, SPREAD) >>> this.#shift;
    while (this.#tokens[place] !== 0 && this.#tokens[place] !== instrumentToken) {
      place = (place + 1) & this.#mask;
    }
    return place;
  }
}
