import { GREEK } from '#shared/market/greeks.ts';
import type { Slot } from '../enrich/slot.ts';
import {
  ASK_FIELD,
  FIELD,
  hasExchangeTime,
  LEVEL_FIELDS,
  LEVELS_A_SIDE,
  PACKET_LENGTH,
} from '../feed/decode.ts';
import { ascii, type JsonWriter } from './json-writer.ts';

/** Decimal places that published numbers are rounded to; prices keep the exchange's own. */
export const PUBLISHED_DECIMALS = { iv: 6, delta: 6, gamma: 10, theta: 4, vega: 4, rho: 4 } as const;

/** Longest JSON of the parts of a snapshot that are not its head, generously. */
const MAX_BODY_BYTES = 1_600;

const MODE_OF_LENGTH: Readonly<Record<number, Uint8Array>> = {
  [PACKET_LENGTH.ltp]: ascii('ltp","ltp":'),
  [PACKET_LENGTH.indexQuote]: ascii('quote","ltp":'),
  [PACKET_LENGTH.indexFull]: ascii('full","ltp":'),
  [PACKET_LENGTH.quote]: ascii('quote","ltp":'),
  [PACKET_LENGTH.full]: ascii('full","ltp":'),
};

const PART = {
  volume: ascii(',"volume":'),
  oi: ascii(',"oi":'),
  bid: ascii(',"bid":'),
  ask: ascii(',"ask":'),
  iv: ascii(',"iv":'),
  statusOk: ascii(',"iv_status":"ok"'),
  statusStale: ascii(',"iv_status":"stale","iv_reason":"'),
  noneWithReason: ascii(',"iv":null,"iv_status":"none","iv_reason":"'),
  noGreeks: ascii('","delta":null,"gamma":null,"theta":null,"vega":null,"rho":null'),
  quote: ascii('"'),
  delta: ascii(',"delta":'),
  gamma: ascii(',"gamma":'),
  theta: ascii(',"theta":'),
  vega: ascii(',"vega":'),
  rho: ascii(',"rho":'),
  underlying: ascii(',"underlying_ltp":'),
  null: ascii('null'),
  open: ascii(',"ohlc":{"open":'),
  high: ascii(',"high":'),
  low: ascii(',"low":'),
  close: ascii(',"close":'),
  buy: ascii('},"depth":{"buy":[{"price":'),
  sell: ascii('}],"sell":[{"price":'),
  nextLevel: ascii('},{"price":'),
  quantity: ascii(',"quantity":'),
  orders: ascii(',"orders":'),
  endDepth: ascii('}]}'),
  endOhlc: ascii('}'),
  exchangeTs: ascii(',"exchange_ts":'),
  receivedTs: ascii(',"received_ts":'),
  real: ascii(',"is_mock":false}'),
} as const;

/**
 * Writes the snapshot of the slot's newest values, as `Snapshot` in shared/market describes it, without making an
 * object: this function runs for every tick.
 */
export function writeSnapshot(out: JsonWriter, slot: Slot): void {
  const { fields, decimals, packetLength } = slot;
  out.reserve(slot.head.length + MAX_BODY_BYTES);
  out.raw(slot.head);
  out.raw(MODE_OF_LENGTH[packetLength]!);
  out.scaled(fields[FIELD.last_price]!, decimals);
  const isFull = packetLength === PACKET_LENGTH.full;
  if (isFull || packetLength === PACKET_LENGTH.quote) {
    out.raw(PART.volume);
    out.uint(fields[FIELD.volume]!);
  }
  if (isFull) writeTop(out, fields, decimals);
  if (slot.option !== undefined) writePricing(out, slot.option);
  if (packetLength !== PACKET_LENGTH.ltp) writeOhlc(out, fields, decimals);
  if (isFull) writeDepth(out, fields, decimals);
  else if (packetLength !== PACKET_LENGTH.ltp) out.raw(PART.endOhlc);
  out.raw(PART.exchangeTs);
  const exchangeTime = hasExchangeTime(packetLength) ? fields[FIELD.exchange_time]! : 0;
  if (exchangeTime === 0) out.raw(PART.null);
  else out.uint(exchangeTime * 1_000);
  out.raw(PART.receivedTs);
  out.uint(slot.receivedMs);
  out.raw(PART.real);
}

function writeTop(out: JsonWriter, fields: Float64Array, decimals: number): void {
  out.raw(PART.oi);
  out.uint(fields[FIELD.oi]!);
  out.raw(PART.bid);
  out.scaled(fields[FIELD.depth + 1]!, decimals);
  out.raw(PART.ask);
  out.scaled(fields[ASK_FIELD + 1]!, decimals);
}

function writePricing(out: JsonWriter, option: NonNullable<Slot['option']>): void {
  const { greeks, status } = option;
  if (status === 'none') {
    out.raw(PART.noneWithReason);
    out.raw(ascii(option.reason));
    out.raw(PART.noGreeks);
  } else {
    out.raw(PART.iv);
    out.rounded(greeks[GREEK.iv]!, PUBLISHED_DECIMALS.iv);
    if (status === 'ok') out.raw(PART.statusOk);
    else {
      out.raw(PART.statusStale);
      out.raw(ascii(option.reason));
      out.raw(PART.quote);
    }
    out.raw(PART.delta);
    out.rounded(greeks[GREEK.delta]!, PUBLISHED_DECIMALS.delta);
    out.raw(PART.gamma);
    out.rounded(greeks[GREEK.gamma]!, PUBLISHED_DECIMALS.gamma);
    out.raw(PART.theta);
    out.rounded(greeks[GREEK.theta]!, PUBLISHED_DECIMALS.theta);
    out.raw(PART.vega);
    out.rounded(greeks[GREEK.vega]!, PUBLISHED_DECIMALS.vega);
    out.raw(PART.rho);
    out.rounded(greeks[GREEK.rho]!, PUBLISHED_DECIMALS.rho);
  }
  out.raw(PART.underlying);
  const { underlying } = option;
  if (underlying === undefined || underlying.packetLength === 0) out.raw(PART.null);
  else out.scaled(underlying.fields[FIELD.last_price]!, underlying.decimals);
}

function writeOhlc(out: JsonWriter, fields: Float64Array, decimals: number): void {
  out.raw(PART.open);
  out.scaled(fields[FIELD.open]!, decimals);
  out.raw(PART.high);
  out.scaled(fields[FIELD.high]!, decimals);
  out.raw(PART.low);
  out.scaled(fields[FIELD.low]!, decimals);
  out.raw(PART.close);
  out.scaled(fields[FIELD.close]!, decimals);
}

function writeDepth(out: JsonWriter, fields: Float64Array, decimals: number): void {
  out.raw(PART.buy);
  writeSide(out, fields, FIELD.depth, decimals);
  out.raw(PART.sell);
  writeSide(out, fields, ASK_FIELD, decimals);
  out.raw(PART.endDepth);
}

function writeSide(out: JsonWriter, fields: Float64Array, first: number, decimals: number): void {
  for (let level = 0; level < LEVELS_A_SIDE; level += 1) {
    const field = first + level * LEVEL_FIELDS;
    if (level > 0) out.raw(PART.nextLevel);
    out.scaled(fields[field + 1]!, decimals);
    out.raw(PART.quantity);
    out.uint(fields[field]!);
    out.raw(PART.orders);
    out.uint(fields[field + 2]!);
  }
}
