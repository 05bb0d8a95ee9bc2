import type { MarketSegment } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { SimClock } from './clock.ts';
import { type SessionView, segmentOfExchange, sessionView } from './sessions.ts';

/** An index is told as long as its derivatives trade. */
export function segmentOfInstrument({ segment, exchange }: Instrument): MarketSegment {
  return segment === 'INDICES' ? 'derivatives' : segmentOfExchange(exchange);
}

/** The two sessions as they stand at a moment; asked for often, worked out once a moment. */
export class MarketHours {
  readonly #clock: SimClock;
  #atMs = -1;
  #override = '';
  #cash: SessionView | undefined;
  #derivatives: SessionView | undefined;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  /** To the second: sessions turn at whole minutes, and nothing trades more often. */
  view(segment: MarketSegment, ms: number): SessionView {
    const atMs = Math.floor(ms / 1000) * 1000;
    const override = `${this.#clock.market}${this.#clock.overriddenAtMs}`;
    if (atMs !== this.#atMs || override !== this.#override) {
      this.#atMs = atMs;
      this.#override = override;
      this.#cash = undefined;
      this.#derivatives = undefined;
    }
    if (segment === 'cash') {
      this.#cash ??= this.#look(segment, atMs);
      return this.#cash;
    }
    this.#derivatives ??= this.#look(segment, atMs);
    return this.#derivatives;
  }

  #look(segment: MarketSegment, atMs: number): SessionView {
    return sessionView(atMs, segment, this.#clock.market, this.#clock.overriddenAtMs);
  }
}
