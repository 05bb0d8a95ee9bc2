import type { Quote } from '#simulator/contracts.ts';
import { someLots } from './activity.ts';
import { bookAround, EMPTY_DEPTH, totalQuantity } from './book.ts';
import type { InstrumentModel } from './models.ts';
import { istDayNumber, MINUTE_MS } from './path.ts';
import { roundTo } from './prices.ts';
import type { SessionView } from './sessions.ts';
import { Tape } from './tape.ts';

/** Daily price bands: shares 20 %, futures 10 %; an option's follows a 20 % move of its underlying. */
const SHARE_BAND = 0.2;
const FUTURE_BAND = 0.1;
const LEAST_PRICE = 0.05;

/** The quotes of one instrument, made anew only when its next trade is due. */
export class QuoteMaker {
  readonly model: InstrumentModel;
  readonly #tape: Tape;
  #quote: Quote | undefined;
  #madeForMs = -1;
  #openMs = -1;
  #periodMs = 1000;
  #previousClose = 0;

  constructor(model: InstrumentModel) {
    this.model = model;
    this.#tape = new Tape(model.prices);
  }

  /** The moment of the last trade that the session shows. */
  tradedMs(view: SessionView): number {
    this.#enter(view);
    const shownMs = Math.min(view.shownMs, this.model.endsMs ?? view.shownMs);
    return Math.max(view.openMs, Math.floor(shownMs / this.#periodMs) * this.#periodMs);
  }

  quote(view: SessionView): Quote {
    const ms = this.tradedMs(view);
    if (this.#quote !== undefined && ms === this.#madeForMs) return this.#quote;
    this.#tape.advance(view.openMs, ms, this.#periodMs);
    this.#quote = this.#make(ms, view);
    this.#madeForMs = ms;
    return this.#quote;
  }

  #enter(view: SessionView): void {
    if (view.openMs === this.#openMs) return;
    this.#openMs = view.openMs;
    this.#periodMs = this.model.periodMs(istDayNumber(view.openMs));
    this.#previousClose = this.model.prices.markAt(Math.floor(view.previousCloseMs / MINUTE_MS) * MINUTE_MS);
    this.#madeForMs = -1;
  }

  #make(ms: number, view: SessionView): Quote {
    const { instrument, activity, seed, prices } = this.model;
    const last_price = this.#tape.priceAt(ms);
    const { open, high, low } = this.#tape;
    const ohlc = { open, high, low, close: this.#previousClose };
    if (activity === undefined)
      return { ...this.#indexQuote(last_price), ohlc, exchangeMs: Math.min(ms, view.stampMs) };
    const lot = Math.max(1, instrument.lot_size);
    const moment = Math.floor(ms / 1000);
    const depth = bookAround({
      seed,
      price: last_price,
      tick: prices.tick,
      lot,
      periodS: this.#periodMs / 1000,
      moment,
    });
    const volume = activity.volumeAt(ms, view.openMs);
    const [oi_day_low, oi_day_high] = activity.oiRange(ms, view.openMs);
    const [lower_circuit_limit, upper_circuit_limit] = this.#bands();
    return {
      instrument,
      last_price,
      last_quantity: someLots(seed, moment, 71, lot, 12),
      average_price: volume === 0 ? 0 : roundTo((open + high + low + last_price) / 4, 0.01),
      volume,
      buy_quantity: totalQuantity(depth.buy, seed, moment, lot),
      sell_quantity: totalQuantity(depth.sell, seed ^ 1, moment, lot),
      ohlc,
      lastTradeMs: Math.min(ms, view.stampMs),
      exchangeMs: Math.min(ms, view.stampMs),
      oi: activity.oiAt(ms),
      oi_day_high,
      oi_day_low,
      lower_circuit_limit,
      upper_circuit_limit,
      depth,
    };
  }

  #indexQuote(last_price: number): Omit<Quote, 'ohlc' | 'exchangeMs'> {
    return {
      instrument: this.model.instrument,
      last_price,
      last_quantity: 0,
      average_price: 0,
      volume: 0,
      buy_quantity: 0,
      sell_quantity: 0,
      lastTradeMs: 0,
      oi: 0,
      oi_day_high: 0,
      oi_day_low: 0,
      lower_circuit_limit: 0,
      upper_circuit_limit: 0,
      depth: EMPTY_DEPTH,
    };
  }

  #bands(): readonly [number, number] {
    const { instrument, prices } = this.model;
    const close = this.#previousClose;
    const move =
      instrument.strike > 0 ? instrument.strike * SHARE_BAND : close * bandOf(instrument.instrument_type);
    const lower = Math.max(LEAST_PRICE, roundTo(close - move, prices.tick));
    return [lower, roundTo(close + move, prices.tick)];
  }
}

function bandOf(type: string): number {
  return type === 'FUT' ? FUTURE_BAND : SHARE_BAND;
}

/** Whether anything a subscriber can see differs between two quotes of one instrument. */
export function visiblyChanged(before: Quote | undefined, after: Quote): boolean {
  if (before === after) return false;
  if (before === undefined) return true;
  return (
    before.last_price !== after.last_price ||
    before.volume !== after.volume ||
    before.oi !== after.oi ||
    before.ohlc.close !== after.ohlc.close ||
    before.ohlc.open !== after.ohlc.open ||
    before.depth.buy[0]!.quantity !== after.depth.buy[0]!.quantity ||
    before.depth.sell[0]!.quantity !== after.depth.sell[0]!.quantity
  );
}
