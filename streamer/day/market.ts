import {
  istDay,
  knowsHolidays,
  type MarketSegment,
  type MarketState,
  marketState,
  nextStateMs,
} from '#shared/market/calendar.ts';
import type { StreamerLogger } from '../log.ts';

export const MARKET_SEGMENTS: readonly MarketSegment[] = ['derivatives', 'cash'];

export interface SegmentFacts {
  readonly state: MarketState;
  /** ISO 8601. */
  readonly next_change_at: string;
}

/** The calendar's word on a moment; `state` and `next_change_at` at the top are those of derivatives. */
export interface MarketFacts extends SegmentFacts {
  /** In India, `yyyy-mm-dd`. */
  readonly day: string;
  /** False: a holiday of this year counts as a trading day, because nobody told the calendar of it. */
  readonly holidays_known: boolean;
  readonly cash: SegmentFacts;
}

export function marketFacts(nowMs: number): MarketFacts {
  const day = istDay(nowMs);
  const cash = segmentFacts(nowMs, 'cash');
  return { day, holidays_known: knowsHolidays(day), ...segmentFacts(nowMs, 'derivatives'), cash };
}

function segmentFacts(nowMs: number, segment: MarketSegment): SegmentFacts {
  return {
    state: marketState(nowMs, segment),
    next_change_at: new Date(nextStateMs(nowMs, segment)).toISOString(),
  };
}

/** Writes each change of a market's state to the log, once, and each day whose holidays are not known. */
export class MarketLog {
  readonly #logger: Pick<StreamerLogger, 'info' | 'warn'>;
  #warnedOf = '';
  readonly #states = new Map<MarketSegment, MarketState>();

  constructor(logger: Pick<StreamerLogger, 'info' | 'warn'>) {
    this.#logger = logger;
  }

  look(nowMs: number): void {
    const { cash, day, holidays_known, ...derivatives } = marketFacts(nowMs);
    if (!holidays_known && day !== this.#warnedOf) {
      this.#warnedOf = day;
      this.#logger.warn({ day }, "the calendar lacks this year's holidays: weekdays count as trading days");
    }
    for (const segment of MARKET_SEGMENTS) {
      const { state, next_change_at } = segment === 'cash' ? cash : derivatives;
      if (this.#states.get(segment) === state) continue;
      this.#states.set(segment, state);
      this.#logger.info({ segment, state, day, next_change_at }, 'the market turned');
    }
  }
}
