import { GREEK, type OptionTerms, priceOption } from '#shared/market/greeks.ts';
import { type Pricer, valueTimeMs } from '../enrich/pricer.ts';
import { type MockState, type OptionState, Slot } from '../enrich/slot.ts';
import { ASK_FIELD, FIELD, LEVEL_FIELDS, PACKET_LENGTH } from '../feed/decode.ts';
import { pathSeed } from './path.ts';

/** A slot's synthetic twin: it is published in its place, and the slot keeps its real values untouched. */
export type Twin = Slot & { readonly mock: MockState };

export type TwinPricer = Pick<Pricer, 'price' | 'solve'>;

/** Stands exactly where the real prices stand. */
export function newTwin(real: Slot, seed: number): Twin {
  const { instrument, option } = real;
  const rates = option?.terms ?? { rate: 0, dividendYield: 0 };
  const mock: MockState = {
    real,
    pathSeed: pathSeed(seed, instrument),
    tick: Math.max(1, Math.round(instrument.tick_size / real.unit)),
    atMs: valueTimeMs(real),
    drift: 0,
    base: option,
  };
  const twin = new Slot(instrument, real.published, option?.terms.model ?? 'black_scholes_spot', rates, mock);
  twin.fields.set(real.fields);
  // No exchange made it.
  twin.fields[FIELD.exchange_time] = 0;
  twin.packetLength = real.packetLength;
  twin.seq = real.seq;
  return twin as Twin;
}

/**
 * Puts the twin where its drift says: every price of it so many whole ticks from the real one. Time to expiry stays
 * that of the last real price: at night the market stands still, so neither decay nor the volatility that would hide
 * it moves a price that must come back.
 */
export function placeTwin(twin: Twin, pricer: TwinPricer, nowMs: number): void {
  const { mock, option } = twin;
  if (option !== undefined && mock.base !== undefined) {
    if (lacksUnderlyingNoMore(mock.base)) mock.base = pricedAnew(mock.base, mock.real, pricer);
    const { terms, underlying } = mock.base;
    option.underlying = underlying?.shown;
    Object.assign(option.terms, terms);
    option.terms.underlying *= 1 + mock.drift;
  }
  movePrices(twin, mock, wholeTicks(mock, option));
  if (option !== undefined && mock.base !== undefined) solveFrom(mock.base, twin, option, pricer);
  twin.receivedMs = nowMs;
}

/** After a start at night an option's only packet may have come before that of its underlying. */
function lacksUnderlyingNoMore({ status, reason, underlying }: OptionState): boolean {
  const lacked = status === 'none' && (reason === 'no_underlying' || reason === 'no_forward');
  return lacked && underlying !== undefined && underlying.packetLength > 0;
}

function pricedAnew(base: OptionState, real: Slot, pricer: Pick<Pricer, 'price'>): OptionState {
  const option = { ...base, terms: { ...base.terms }, greeks: base.greeks.slice() };
  pricer.price(real, option);
  return option;
}

/** Always from the real volatility: what came out before at another price is no guide, and carries its rounding. */
function solveFrom(base: OptionState, twin: Twin, option: OptionState, pricer: TwinPricer): void {
  option.status = base.status;
  option.reason = base.reason;
  // A real price that no volatility explains is not explained by moving it.
  if (base.status === 'none') return;
  option.lastIv = base.lastIv;
  option.lastGoodMs = twin.mock.atMs;
  pricer.solve(twin, option, twin.mock.atMs);
}

/** How many ticks the prices move; never so far down that last price or best ask end below one tick. */
function wholeTicks(mock: MockState, option: OptionState | undefined): number {
  const { real, tick } = mock;
  const last = real.fields[FIELD.last_price]!;
  const ask = real.packetLength === PACKET_LENGTH.full ? real.fields[ASK_FIELD + 1]! : 0;
  const lowest = ask > 0 ? Math.min(last, ask) : last;
  const moved = option === undefined ? last * mock.drift : optionMove(mock, option) / real.unit;
  const ticks = Math.round(moved / tick);
  return Math.max(ticks, Math.min(0, Math.ceil((tick - lowest) / tick)));
}

/** Rupees that the option gains when its underlying drifts. */
function optionMove({ real, base, drift }: MockState, option: OptionState): number {
  const { terms, lastIv } = base!;
  const { type, strike, underlying } = terms;
  const sign = type === 'CE' ? 1 : -1;
  // Of a share's options nobody knows the spot: they move by as much as it, for want of better.
  if (!(underlying > 0)) return sign * drift * real.fields[FIELD.last_price]! * real.unit;
  // At the last real volatility: the twin's own carries the rounding of its ticks.
  const scratch = option.greeks;
  const before = modelPrice(scratch, terms, lastIv);
  const after = modelPrice(scratch, option.terms, lastIv);
  if (Number.isFinite(after - before)) return after - before;
  return Math.max(sign * (option.terms.underlying - strike), 0) - Math.max(sign * (underlying - strike), 0);
}

/** Rupees; NaN where the model has no price. */
function modelPrice(scratch: Float64Array, terms: OptionTerms, sigma: number): number {
  return priceOption(scratch, terms, sigma) === undefined ? scratch[GREEK.price]! : Number.NaN;
}

function movePrices(twin: Slot, { real, tick }: MockState, ticks: number): void {
  const by = ticks * tick;
  twin.fields[FIELD.last_price] = real.fields[FIELD.last_price]! + by;
  if (twin.packetLength !== PACKET_LENGTH.full) return;
  for (let level = FIELD.depth; level < twin.fields.length; level += LEVEL_FIELDS) {
    const price = real.fields[level + 1]!;
    // A bid that would fall below one tick is no bid.
    const isThere = price > 0 && price + by >= tick;
    twin.fields[level] = isThere ? real.fields[level]! : 0;
    twin.fields[level + 1] = isThere ? price + by : 0;
    twin.fields[level + 2] = isThere ? real.fields[level + 2]! : 0;
  }
}
