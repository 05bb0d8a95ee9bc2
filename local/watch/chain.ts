import type { OptionSnapshot, Snapshot } from '#shared/market/snapshot.ts';

/** One strike of a chain. */
export interface ChainRow {
  readonly strike: number;
  readonly call: OptionSnapshot | undefined;
  readonly put: OptionSnapshot | undefined;
}

export interface ChainId {
  readonly underlying: string;
  readonly expiry: string;
}

/** The newest snapshot of every option seen, by chain. */
export class OptionChains {
  readonly #options = new Map<number, OptionSnapshot>();
  readonly #spots = new Map<string, number>();

  /** Takes a snapshot in; an option's own `underlying_ltp` serves as spot, so that no other channel is needed. */
  apply(snapshot: Snapshot): void {
    if (snapshot.type !== 'option') return;
    this.#options.set(snapshot.instrument_token, snapshot);
    if (snapshot.underlying_ltp !== null) this.#spots.set(snapshot.underlying, snapshot.underlying_ltp);
  }

  spot(underlying: string): number | undefined {
    return this.#spots.get(underlying);
  }

  /** Chains seen so far, by underlying and expiry. */
  chains(): ChainId[] {
    const seen = new Map<string, ChainId>();
    for (const { underlying, expiry } of this.#options.values())
      seen.set(`${underlying} ${expiry}`, { underlying, expiry });
    return [...seen.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, chain]) => chain);
  }

  /** Rows by rising strike. */
  rows(chain: ChainId): ChainRow[] {
    const rows = new Map<number, { call?: OptionSnapshot; put?: OptionSnapshot }>();
    for (const option of this.#options.values()) {
      if (option.underlying !== chain.underlying || option.expiry !== chain.expiry) continue;
      const row = rows.get(option.strike) ?? {};
      row[option.option_type === 'CE' ? 'call' : 'put'] = option;
      rows.set(option.strike, row);
    }
    return [...rows.entries()]
      .sort(([a], [b]) => a - b)
      .map(([strike, { call, put }]) => ({ strike, call, put }));
  }
}

/** The `count` rows around the spot; all when there are fewer or the spot is not known. */
export function rowsAround(
  rows: readonly ChainRow[],
  spot: number | undefined,
  count: number,
): readonly ChainRow[] {
  if (rows.length <= count) return rows;
  const centre = spot ?? rows[Math.floor(rows.length / 2)]!.strike;
  const nearest = rows.reduce(
    (best, row, index) =>
      Math.abs(row.strike - centre) < Math.abs(rows[best]!.strike - centre) ? index : best,
    0,
  );
  const first = Math.min(Math.max(0, nearest - Math.floor(count / 2)), rows.length - count);
  return rows.slice(first, first + count);
}
