import { SEGMENT, segmentOf } from '#shared/market/instrument.ts';

/** Body lengths by which the broker's packets are told apart, in bytes. */
export const PACKET_LENGTH = { ltp: 8, indexQuote: 28, indexFull: 32, quote: 44, full: 184 } as const;

/**
 * Where a packet's numbers stand once decoded: raw unsigned integers, prices in the segment's smallest unit
 * (see `priceDecimals`), times in Unix seconds with 0 for none. What a packet does not carry keeps its old value.
 */
export const FIELD = {
  last_price: 0,
  last_quantity: 1,
  average_price: 2,
  volume: 3,
  buy_quantity: 4,
  sell_quantity: 5,
  open: 6,
  high: 7,
  low: 8,
  close: 9,
  last_trade_time: 10,
  oi: 11,
  oi_day_high: 12,
  oi_day_low: 13,
  exchange_time: 14,
  /** Five bids, then five asks, each quantity, price, orders. */
  depth: 15,
} as const;
export const LEVELS_A_SIDE = 5;
export const LEVEL_FIELDS = 3;
const DEPTH_LEVELS = 2 * LEVELS_A_SIDE;
/** Where the asks begin. */
export const ASK_FIELD = FIELD.depth + LEVELS_A_SIDE * LEVEL_FIELDS;
export const FIELD_COUNT = FIELD.depth + DEPTH_LEVELS * LEVEL_FIELDS;

/** Bytes of one depth level: quantity u32, price u32, orders u16, 2 of padding. */
const LEVEL_BYTES = 12;
const DEPTH_OFFSET = 64;

/** Decimal places of a segment's integer prices: 2, but 7 for CDS and 4 for BCD as the official clients have it. */
export function priceDecimals(instrumentToken: number): number {
  switch (segmentOf(instrumentToken)) {
    case SEGMENT.CDS:
      return 7;
    case SEGMENT.BCD:
      return 4;
    default:
      return 2;
  }
}

export type WalkEnd =
  | 'complete'
  /** The frame ended inside a packet or before its last announced one. */
  | 'truncated'
  /** Bytes were left after the last announced packet. */
  | 'trailing';

/**
 * Visits the packets of a binary frame (u16 count, then u16 length and body of each) that lie wholly inside it.
 * A frame of one byte is a heartbeat and holds none.
 */
export function walkFrame(frame: DataView, visit: (offset: number, length: number) => void): WalkEnd {
  const end = frame.byteLength;
  if (end < 2) return 'complete';
  const count = frame.getUint16(0);
  let offset = 2;
  for (let index = 0; index < count; index += 1) {
    if (offset + 2 > end) return 'truncated';
    const length = frame.getUint16(offset);
    offset += 2;
    if (offset + length > end) return 'truncated';
    visit(offset, length);
    offset += length;
  }
  return offset === end ? 'complete' : 'trailing';
}

export function isKnownLength(length: number): boolean {
  return (
    length === PACKET_LENGTH.full ||
    length === PACKET_LENGTH.ltp ||
    length === PACKET_LENGTH.quote ||
    length === PACKET_LENGTH.indexFull ||
    length === PACKET_LENGTH.indexQuote
  );
}

/** Whether packets of the length carry the exchange's time. */
export function hasExchangeTime(length: number): boolean {
  return length === PACKET_LENGTH.full || length === PACKET_LENGTH.indexFull;
}

/** Decodes the body at `offset`, whose length must be a known one, into `out`; the token is not part of it. */
export function decodeBody(frame: DataView, offset: number, length: number, out: Float64Array): void {
  out[FIELD.last_price] = frame.getUint32(offset + 4);
  if (length === PACKET_LENGTH.ltp) return;
  if (length === PACKET_LENGTH.indexQuote || length === PACKET_LENGTH.indexFull) {
    decodeIndex(frame, offset, length, out);
    return;
  }
  out[FIELD.last_quantity] = frame.getUint32(offset + 8);
  out[FIELD.average_price] = frame.getUint32(offset + 12);
  out[FIELD.volume] = frame.getUint32(offset + 16);
  out[FIELD.buy_quantity] = frame.getUint32(offset + 20);
  out[FIELD.sell_quantity] = frame.getUint32(offset + 24);
  out[FIELD.open] = frame.getUint32(offset + 28);
  out[FIELD.high] = frame.getUint32(offset + 32);
  out[FIELD.low] = frame.getUint32(offset + 36);
  out[FIELD.close] = frame.getUint32(offset + 40);
  if (length === PACKET_LENGTH.full) decodeFullTail(frame, offset, out);
}

/** Index packets order their prices high, low, open, close; the price change at 24 follows from the others. */
function decodeIndex(frame: DataView, offset: number, length: number, out: Float64Array): void {
  out[FIELD.high] = frame.getUint32(offset + 8);
  out[FIELD.low] = frame.getUint32(offset + 12);
  out[FIELD.open] = frame.getUint32(offset + 16);
  out[FIELD.close] = frame.getUint32(offset + 20);
  if (length === PACKET_LENGTH.indexFull) out[FIELD.exchange_time] = frame.getUint32(offset + 28);
}

function decodeFullTail(frame: DataView, offset: number, out: Float64Array): void {
  out[FIELD.last_trade_time] = frame.getUint32(offset + 44);
  out[FIELD.oi] = frame.getUint32(offset + 48);
  out[FIELD.oi_day_high] = frame.getUint32(offset + 52);
  out[FIELD.oi_day_low] = frame.getUint32(offset + 56);
  out[FIELD.exchange_time] = frame.getUint32(offset + 60);
  let at = offset + DEPTH_OFFSET;
  for (let level = 0; level < DEPTH_LEVELS; level += 1) {
    const field = FIELD.depth + level * LEVEL_FIELDS;
    out[field] = frame.getUint32(at);
    out[field + 1] = frame.getUint32(at + 4);
    out[field + 2] = frame.getUint16(at + 8);
    at += LEVEL_BYTES;
  }
}
