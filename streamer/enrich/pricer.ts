import { GREEK, type IvFailure, type PricingModel, priceOption, solveOption } from '#shared/market/greeks.ts';
import { ASK_FIELD, FIELD, hasExchangeTime, PACKET_LENGTH } from '../feed/decode.ts';
import type { ForwardBook } from './forwards.ts';
import type { OptionState, Slot } from './slot.ts';

export interface PricerSettings {
  readonly model: PricingModel;
  /** A book wider than both of these says too little about the price: rupees, and a fraction of its middle. */
  readonly maxSpread: number;
  readonly maxSpreadFraction: number;
  /** How long the last good volatility may stand in for one that cannot be had, market time. */
  readonly staleAfterMs: number;
}

const MS_PER_YEAR = 365 * 86_400_000;
/** Beyond it a Greek is an artefact of a few nanoseconds to expiry. */
const MAX_MAGNITUDE = 1e9;

/**
 * What the market says the instrument is worth, in rupees: the middle of a sane book, else the last price;
 * 0 when there is neither.
 */
export function marketPrice(slot: Slot, settings: PricerSettings): number {
  const { fields, unit } = slot;
  if (slot.packetLength === PACKET_LENGTH.full) {
    const bid = fields[FIELD.depth + 1]! * unit;
    const ask = fields[ASK_FIELD + 1]! * unit;
    const spread = ask - bid;
    const middle = 0.5 * (bid + ask);
    const limit = Math.max(settings.maxSpread, settings.maxSpreadFraction * middle);
    if (bid > 0 && spread > 0 && spread <= limit) return middle;
  }
  return fields[FIELD.last_price]! * unit;
}

/** The time an instrument's newest values hold at, epoch ms of market time. */
export function valueTimeMs(slot: Slot): number {
  const exchangeTime = hasExchangeTime(slot.packetLength) ? slot.fields[FIELD.exchange_time]! : 0;
  return exchangeTime === 0 ? slot.receivedMs : exchangeTime * 1_000;
}

/** Prices options from their newest packet; keeps each one's last volatility as the start for the next. */
export class Pricer {
  readonly #settings: PricerSettings;
  readonly #forwards: ForwardBook;

  constructor(settings: PricerSettings, forwards: ForwardBook) {
    this.#settings = settings;
    this.#forwards = forwards;
  }

  /** Leaves IV, Greeks and status in the slot's option state. */
  price(slot: Slot, option: OptionState): void {
    const atMs = valueTimeMs(slot);
    const { terms } = option;
    terms.underlying = this.#underlyingPrice(slot, option);
    terms.years = (option.expiryMs - atMs) / MS_PER_YEAR;
    this.solve(slot, option, atMs);
  }

  /** The same at the option's terms as they stand. */
  solve(slot: Slot, option: OptionState, atMs: number): void {
    const { terms, greeks } = option;
    const failure = solveOption(greeks, terms, marketPrice(slot, this.#settings), option.lastIv);
    if (failure === undefined && isReasonable(greeks)) {
      option.status = 'ok';
      option.lastIv = greeks[GREEK.iv]!;
      option.lastGoodMs = atMs;
      return;
    }
    this.#standIn(option, failure ?? 'no_convergence', atMs);
  }

  #underlyingPrice(slot: Slot, option: OptionState): number {
    const spot = option.underlying;
    if (spot === undefined || spot.packetLength === 0) return 0;
    if (this.#settings.model === 'black_scholes_spot') return spot.fields[FIELD.last_price]! * spot.unit;
    return this.#forwards.forward(slot);
  }

  #standIn(option: OptionState, failure: IvFailure, atMs: number): void {
    const lacksForward = this.#settings.model === 'black76_forward' && option.underlying !== undefined;
    option.reason = failure === 'no_underlying' && lacksForward ? 'no_forward' : failure;
    const isRecent = option.lastIv > 0 && atMs - option.lastGoodMs <= this.#settings.staleAfterMs;
    const { greeks } = option;
    option.status = 'none';
    if (!isRecent || priceOption(greeks, option.terms, option.lastIv) !== undefined) return;
    if (isReasonable(greeks)) option.status = 'stale';
  }
}

function isReasonable(greeks: Float64Array): boolean {
  for (let index = GREEK.iv; index <= GREEK.rho; index += 1) {
    if (!(Math.abs(greeks[index]!) < MAX_MAGNITUDE)) return false;
  }
  return true;
}
