import { SEGMENT, segmentOf } from '#shared/market/instrument.ts';
import type { Quote } from '#simulator/contracts.ts';
import { visiblyChanged } from './quotes.ts';

export type QuoteListener = (quote: Quote) => void;
export type QuoteAt = (instrumentToken: number, atMs: number) => Quote | undefined;

interface Watched {
  readonly token: number;
  readonly listeners: Set<QuoteListener>;
  last: Quote | undefined;
}

/** How finely a round over all watched instruments is spread over its time. */
const SLICES = 20;
export const DEFAULT_ROUND_MS = 1000;
/** Market seconds between two rounds: all divide a minute, so that every whole minute is one. */
const STEPS_S = [60, 30, 20, 15, 10, 5, 2, 1];

/** Market time between rounds, so that a round takes at most `roundMs` of wall time: at 60x each is a whole minute. */
export function roundStepMs(speed: number, roundMs: number): number {
  const seconds = STEPS_S.find((step) => step <= (speed * roundMs) / 1000) ?? 1;
  return seconds * 1000;
}

/** So that a reader who prices options knows the spot of the same round. */
function indicesFirst(watched: readonly Watched[]): Watched[] {
  const isIndex = ({ token }: Watched) => segmentOf(token) === SEGMENT.INDICES;
  return [...watched.filter(isIndex), ...watched.filter((entry) => !isIndex(entry))];
}

/** Goes round the watched instruments once a round and tells their listeners what changed. */
export class Ticker {
  readonly #quoteAt: QuoteAt;
  readonly #lengthMs: number;
  readonly #watched = new Map<number, Watched>();
  readonly #afterPass = new Set<() => void>();
  #round: Watched[] = [];
  #done = 0;
  #roundMs = -1;
  #roundWallMs = 0;
  #nowMs = 0;

  constructor(quoteAt: QuoteAt, roundMs: number) {
    this.#quoteAt = quoteAt;
    this.#lengthMs = roundMs;
  }

  get watchedCount(): number {
    return this.#watched.size;
  }

  /** Tells the listener what changes after `nowMs`. */
  watch(token: number, nowMs: number, listener: QuoteListener): () => void {
    let watched = this.#watched.get(token);
    if (watched === undefined) {
      watched = { token, listeners: new Set(), last: this.#quoteAt(token, nowMs) };
      this.#watched.set(token, watched);
    }
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0 && this.#watched.get(token) === watched) this.#watched.delete(token);
    };
  }

  afterPass(listener: () => void): () => void {
    this.#afterPass.add(listener);
    return () => this.#afterPass.delete(listener);
  }

  /** Continues the round of the latest market step; a round that is late ends before the next begins. */
  pass(nowMs: number, wallMs: number, speed: number): void {
    this.#nowMs = nowMs;
    const stepMs = roundStepMs(speed, this.#lengthMs);
    const roundMs = Math.floor(nowMs / stepMs) * stepMs;
    if (roundMs !== this.#roundMs) {
      this.#visitUntil(this.#round.length);
      this.#round = indicesFirst([...this.#watched.values()]);
      this.#done = 0;
      this.#roundMs = roundMs;
      this.#roundWallMs = wallMs;
    }
    const spread = speed > 0 ? Math.min(this.#lengthMs, stepMs / speed) * 0.8 : 1;
    const slice = Math.min(SLICES, Math.floor(((wallMs - this.#roundWallMs) / spread) * SLICES) + 1);
    this.#visitUntil(Math.ceil((this.#round.length * slice) / SLICES));
    for (const listener of this.#afterPass) listener();
  }

  #visitUntil(end: number): void {
    for (; this.#done < end; this.#done++) this.#visit(this.#round[this.#done]!);
  }

  #visit(watched: Watched): void {
    if (watched.listeners.size === 0) return;
    const { last } = watched;
    // The round is older than what the listener knows, unless the clock was set back.
    if (last !== undefined && last.exchangeMs > this.#roundMs && last.exchangeMs <= this.#nowMs) return;
    const quote = this.#quoteAt(watched.token, this.#roundMs);
    if (quote === undefined || !visiblyChanged(last, quote)) return;
    watched.last = quote;
    for (const listener of watched.listeners) listener(quote);
  }
}
