import { GREEK } from '#shared/market/greeks.ts';
import { IV_REASONS, type IvReason, type Slot } from '../enrich/slot.ts';
import {
  ASK_FIELD,
  FIELD,
  hasExchangeTime,
  LEVEL_FIELDS,
  LEVELS_A_SIDE,
  PACKET_LENGTH,
} from '../feed/decode.ts';
import { type JsonWriter, type Part, part } from './json-writer.ts';

/** Decimal places that published numbers are rounded to; prices keep the exchange's own. */
export const PUBLISHED_DECIMALS = { iv: 6, delta: 6, gamma: 10, theta: 4, vega: 4, rho: 4 } as const;

/** Longest JSON of the parts of a snapshot that are not its head, generously. */
const MAX_BODY_BYTES = 1_600;

const MODE_OF_LENGTH: Readonly<Record<number, Part>> = {
  [PACKET_LENGTH.ltp]: part('ltp","ltp":'),
  [PACKET_LENGTH.indexQuote]: part('quote","ltp":'),
  [PACKET_LENGTH.indexFull]: part('full","ltp":'),
  [PACKET_LENGTH.quote]: part('quote","ltp":'),
  [PACKET_LENGTH.full]: part('full","ltp":'),
};

const REASON = Object.fromEntries(IV_REASONS.map((reason) => [reason, part(reason)])) as Readonly<
  Record<IvReason, Part>
>;

const PART = {
  volume: part(',"volume":'),
  oi: part(',"oi":'),
  bid: part(',"bid":'),
  ask: part(',"ask":'),
  iv: part(',"iv":'),
  statusOk: part(',"iv_status":"ok"'),
  statusStale: part(',"iv_status":"stale","iv_reason":"'),
  noneWithReason: part(',"iv":null,"iv_status":"none","iv_reason":"'),
  noGreeks: part('","delta":null,"gamma":null,"theta":null,"vega":null,"rho":null'),
  quote: part('"'),
  delta: part(',"delta":'),
  gamma: part(',"gamma":'),
  theta: part(',"theta":'),
  vega: part(',"vega":'),
  rho: part(',"rho":'),
  underlying: part(',"underlying_ltp":'),
  null: part('null'),
  open: part(',"ohlc":{"open":'),
  high: part(',"high":'),
  low: part(',"low":'),
  close: part(',"close":'),
  buy: part('},"depth":{"buy":[{"price":'),
  sell: part('}],"sell":[{"price":'),
  nextLevel: part('},{"price":'),
  quantity: part(',"quantity":'),
  orders: part(',"orders":'),
  endDepth: part('}]}'),
  endOhlc: part('}'),
  exchangeTs: part(',"exchange_ts":'),
  receivedTs: part(',"received_ts":'),
  real: part(',"is_mock":false}'),
  mock: part(',"is_mock":true}'),
} as const;

/**
 * Writes the snapshot of the slot's newest values, as `Snapshot` in shared/market describes it, without making an
 * object: this function runs for every tick.
 */
export function writeSnapshot(out: JsonWriter, slot: Slot): void {
  const { fields, decimals, packetLength } = slot;
  out.reserve(slot.head.length + MAX_BODY_BYTES);
  out.copy(slot.head);
  out.part(MODE_OF_LENGTH[packetLength]!);
  out.scaled(fields[FIELD.last_price]!, decimals);
  const isFull = packetLength === PACKET_LENGTH.full;
  if (isFull || packetLength === PACKET_LENGTH.quote) {
    out.part(PART.volume);
    out.uint(fields[FIELD.volume]!);
  }
  if (isFull) writeTop(out, fields, decimals);
  if (slot.option !== undefined) writePricing(out, slot.option);
  if (packetLength !== PACKET_LENGTH.ltp) writeOhlc(out, fields, decimals);
  if (isFull) writeDepth(out, fields, decimals);
  else if (packetLength !== PACKET_LENGTH.ltp) out.part(PART.endOhlc);
  out.part(PART.exchangeTs);
  const exchangeTime = hasExchangeTime(packetLength) ? fields[FIELD.exchange_time]! : 0;
  if (exchangeTime === 0) out.part(PART.null);
  else out.uint(exchangeTime * 1_000);
  out.part(PART.receivedTs);
  out.uint(slot.receivedMs);
  out.part(slot.mock === undefined ? PART.real : PART.mock);
}

function writeTop(out: JsonWriter, fields: Float64Array, decimals: number): void {
  out.part(PART.oi);
  out.uint(fields[FIELD.oi]!);
  out.part(PART.bid);
  out.scaled(fields[FIELD.depth + 1]!, decimals);
  out.part(PART.ask);
  out.scaled(fields[ASK_FIELD + 1]!, decimals);
}

function writePricing(out: JsonWriter, option: NonNullable<Slot['option']>): void {
  const { greeks, status } = option;
  if (status === 'none') {
    out.part(PART.noneWithReason);
    out.part(REASON[option.reason]);
    out.part(PART.noGreeks);
  } else {
    out.part(PART.iv);
    out.rounded(greeks[GREEK.iv]!, PUBLISHED_DECIMALS.iv);
    if (status === 'ok') out.part(PART.statusOk);
    else {
      out.part(PART.statusStale);
      out.part(REASON[option.reason]);
      out.part(PART.quote);
    }
    out.part(PART.delta);
    out.rounded(greeks[GREEK.delta]!, PUBLISHED_DECIMALS.delta);
    out.part(PART.gamma);
    out.rounded(greeks[GREEK.gamma]!, PUBLISHED_DECIMALS.gamma);
    out.part(PART.theta);
    out.rounded(greeks[GREEK.theta]!, PUBLISHED_DECIMALS.theta);
    out.part(PART.vega);
    out.rounded(greeks[GREEK.vega]!, PUBLISHED_DECIMALS.vega);
    out.part(PART.rho);
    out.rounded(greeks[GREEK.rho]!, PUBLISHED_DECIMALS.rho);
  }
  out.part(PART.underlying);
  const { underlying } = option;
  if (underlying === undefined || underlying.packetLength === 0) out.part(PART.null);
  else out.scaled(underlying.fields[FIELD.last_price]!, underlying.decimals);
}

function writeOhlc(out: JsonWriter, fields: Float64Array, decimals: number): void {
  out.part(PART.open);
  out.scaled(fields[FIELD.open]!, decimals);
  out.part(PART.high);
  out.scaled(fields[FIELD.high]!, decimals);
  out.part(PART.low);
  out.scaled(fields[FIELD.low]!, decimals);
  out.part(PART.close);
  out.scaled(fields[FIELD.close]!, decimals);
}

function writeDepth(out: JsonWriter, fields: Float64Array, decimals: number): void {
  out.part(PART.buy);
  writeSide(out, fields, FIELD.depth, decimals);
  out.part(PART.sell);
  writeSide(out, fields, ASK_FIELD, decimals);
  out.part(PART.endDepth);
}

function writeSide(out: JsonWriter, fields: Float64Array, first: number, decimals: number): void {
  for (let level = 0; level < LEVELS_A_SIDE; level += 1) {
    const field = first + level * LEVEL_FIELDS;
    if (level > 0) out.part(PART.nextLevel);
    out.scaled(fields[field + 1]!, decimals);
    out.part(PART.quantity);
    out.uint(fields[field]!);
    out.part(PART.orders);
    out.uint(fields[field + 2]!);
  }
}
