import type { FeedMode } from '#shared/market/instrument.ts';

/** What one connection takes. A token asked for twice counts twice toward the cap but streams once. */
export class Subscriptions {
  readonly #max: number;
  readonly #modes = new Map<number, { mode: FeedMode; asked: number }>();
  #asked = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#modes.size;
  }

  tokens(): IterableIterator<number> {
    return this.#modes.keys();
  }

  mode(token: number): FeedMode | undefined {
    return this.#modes.get(token)?.mode;
  }

  /** Tokens past the cap are refused, those before it are taken. */
  add(tokens: readonly number[], mode: FeedMode): { readonly taken: number[]; readonly refused: number } {
    const room = Math.max(0, this.#max - this.#asked);
    const taken = tokens.slice(0, room);
    for (const token of taken) {
      const known = this.#modes.get(token);
      if (known === undefined) this.#modes.set(token, { mode, asked: 1 });
      else known.asked++;
    }
    this.#asked += taken.length;
    return { taken: [...new Set(taken)], refused: tokens.length - taken.length };
  }

  /** The tokens that were subscribed and now have this mode. */
  setMode(tokens: readonly number[], mode: FeedMode): number[] {
    const changed: number[] = [];
    for (const token of new Set(tokens)) {
      const known = this.#modes.get(token);
      if (known === undefined) continue;
      known.mode = mode;
      changed.push(token);
    }
    return changed;
  }

  remove(tokens: readonly number[]): number[] {
    const removed: number[] = [];
    for (const token of tokens) {
      const known = this.#modes.get(token);
      if (known === undefined) continue;
      this.#asked -= known.asked;
      this.#modes.delete(token);
      removed.push(token);
    }
    return removed;
  }
}
