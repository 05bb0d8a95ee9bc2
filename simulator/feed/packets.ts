import { type FeedMode, SEGMENT, segmentOf } from '#shared/market/instrument.ts';
import type { DepthLevel } from '#shared/market/snapshot.ts';
import type { Quote } from '#simulator/contracts.ts';

/** Body lengths by which a reader tells the packets apart. */
export const PACKET_BYTES = { ltp: 8, indexQuote: 28, indexFull: 32, quote: 44, full: 184 } as const;

const MAX_U32 = 0xffff_ffff;
const MAX_U16 = 0xffff;
const DEPTH_AT = 64;
const LEVEL_BYTES = 12;

/** Paise, but currencies: ten millionths (CDS), ten thousandths (BCD, as the SDKs divide). */
export function priceDivisor(instrumentToken: number): number {
  switch (segmentOf(instrumentToken)) {
    case SEGMENT.CDS:
      return 10_000_000;
    case SEGMENT.BCD:
      return 10_000;
    default:
      return 100;
  }
}

/** One packet's body as the broker sends it: big-endian, unsigned but for an index's price change. */
export function encodePacket(quote: Quote, mode: FeedMode): Buffer {
  if (mode === 'ltp') return writeHead(Buffer.alloc(PACKET_BYTES.ltp), quote);
  return segmentOf(quote.instrument.instrument_token) === SEGMENT.INDICES
    ? encodeIndex(quote, mode)
    : encodeTradable(quote, mode);
}

function writeHead(packet: Buffer, quote: Quote): Buffer {
  const token = quote.instrument.instrument_token;
  packet.writeUInt32BE(token, 0);
  packet.writeUInt32BE(scaled(quote.last_price, priceDivisor(token)), 4);
  return packet;
}

function encodeIndex(quote: Quote, mode: 'quote' | 'full'): Buffer {
  const packet = writeHead(
    Buffer.alloc(mode === 'full' ? PACKET_BYTES.indexFull : PACKET_BYTES.indexQuote),
    quote,
  );
  const { open, high, low, close } = quote.ohlc;
  const divisor = priceDivisor(quote.instrument.instrument_token);
  packet.writeUInt32BE(scaled(high, divisor), 8);
  packet.writeUInt32BE(scaled(low, divisor), 12);
  packet.writeUInt32BE(scaled(open, divisor), 16);
  packet.writeUInt32BE(scaled(close, divisor), 20);
  packet.writeInt32BE(Math.round((quote.last_price - close) * divisor), 24);
  if (mode === 'full') packet.writeUInt32BE(seconds(quote.exchangeMs), 28);
  return packet;
}

function encodeTradable(quote: Quote, mode: 'quote' | 'full'): Buffer {
  const packet = writeHead(Buffer.alloc(mode === 'full' ? PACKET_BYTES.full : PACKET_BYTES.quote), quote);
  const { open, high, low, close } = quote.ohlc;
  const divisor = priceDivisor(quote.instrument.instrument_token);
  packet.writeUInt32BE(count(quote.last_quantity), 8);
  packet.writeUInt32BE(scaled(quote.average_price, divisor), 12);
  packet.writeUInt32BE(count(quote.volume), 16);
  packet.writeUInt32BE(count(quote.buy_quantity), 20);
  packet.writeUInt32BE(count(quote.sell_quantity), 24);
  packet.writeUInt32BE(scaled(open, divisor), 28);
  packet.writeUInt32BE(scaled(high, divisor), 32);
  packet.writeUInt32BE(scaled(low, divisor), 36);
  packet.writeUInt32BE(scaled(close, divisor), 40);
  if (mode === 'full') writeFull(packet, quote, divisor);
  return packet;
}

function writeFull(packet: Buffer, quote: Quote, divisor: number): void {
  packet.writeUInt32BE(seconds(quote.lastTradeMs), 44);
  packet.writeUInt32BE(count(quote.oi), 48);
  packet.writeUInt32BE(count(quote.oi_day_high), 52);
  packet.writeUInt32BE(count(quote.oi_day_low), 56);
  packet.writeUInt32BE(seconds(quote.exchangeMs), 60);
  for (let i = 0; i < 5; i++) {
    writeLevel(packet, DEPTH_AT + i * LEVEL_BYTES, quote.depth.buy[i], divisor);
    writeLevel(packet, DEPTH_AT + (i + 5) * LEVEL_BYTES, quote.depth.sell[i], divisor);
  }
}

function writeLevel(packet: Buffer, at: number, level: DepthLevel | undefined, divisor: number): void {
  if (level === undefined) return;
  packet.writeUInt32BE(count(level.quantity), at);
  packet.writeUInt32BE(scaled(level.price, divisor), at + 4);
  packet.writeUInt16BE(Math.min(MAX_U16, level.orders), at + 8);
}

function scaled(price: number, divisor: number): number {
  return count(Math.round(price * divisor));
}

function count(value: number): number {
  return Math.max(0, Math.min(MAX_U32, Math.floor(value)));
}

function seconds(epochMs: number): number {
  return count(epochMs / 1000);
}

/** A binary message: the number of packets, then each with its length before it. */
export function encodeFrame(packets: readonly Buffer[]): Buffer {
  let bytes = 2;
  for (const packet of packets) bytes += 2 + packet.length;
  const frame = Buffer.allocUnsafe(bytes);
  frame.writeUInt16BE(packets.length, 0);
  let at = 2;
  for (const packet of packets) {
    frame.writeUInt16BE(packet.length, at);
    packet.copy(frame, at + 2);
    at += 2 + packet.length;
  }
  return frame;
}
