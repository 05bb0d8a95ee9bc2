import type { Instrument } from '#shared/market/instrument.ts';

/** What a test or benchmark puts into a packet: prices in raw units, times in Unix seconds. */
export interface PacketValues {
  readonly last_price: number;
  readonly volume?: number;
  readonly oi?: number;
  readonly exchange_time?: number;
  readonly close?: number;
  /** Five bids, then five asks. */
  readonly depth?: readonly { readonly quantity: number; readonly price: number; readonly orders: number }[];
}

/** A full packet of a tradable instrument (184 bytes). */
export function fullPacket(token: number, values: PacketValues): Buffer {
  const body = Buffer.alloc(184);
  const { last_price } = values;
  const head = [token, last_price, 65, last_price, values.volume ?? 0, 1_000, 1_000];
  const ohlc = [
    last_price,
    Math.min(2 ** 32 - 1, last_price + 100),
    Math.max(0, last_price - 100),
    values.close ?? last_price,
  ];
  const time = values.exchange_time ?? 0;
  const oi = values.oi ?? 0;
  for (const [index, word] of [...head, ...ohlc, time, oi, oi, oi, time].entries()) {
    body.writeUInt32BE(word, index * 4);
  }
  for (const [index, level] of (values.depth ?? []).entries()) {
    const at = 64 + index * 12;
    body.writeUInt32BE(level.quantity, at);
    body.writeUInt32BE(level.price, at + 4);
    body.writeUInt16BE(level.orders, at + 8);
  }
  return body;
}

/** An index packet in full mode (32 bytes). */
export function indexPacket(token: number, last_price: number, exchange_time: number): Buffer {
  const body = Buffer.alloc(32);
  const words = [token, last_price, last_price, last_price, last_price, last_price, 0, exchange_time];
  for (const [index, word] of words.entries()) body.writeUInt32BE(word, index * 4);
  return body;
}

export function ltpPacket(token: number, last_price: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(token, 0);
  body.writeUInt32BE(last_price, 4);
  return body;
}

/** A binary message of whole packets. */
export function frameOf(packets: readonly Buffer[]): DataView {
  const parts: Buffer[] = [word(packets.length)];
  for (const packet of packets) parts.push(word(packet.length), packet);
  const bytes = Buffer.concat(parts);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** A row of the dump; NFO options and futures, NSE equities by what is given. */
export function instrumentRow(
  given: Partial<Instrument> & Pick<Instrument, 'instrument_token' | 'tradingsymbol'>,
): Instrument {
  return {
    exchange_token: given.instrument_token >>> 8,
    name: 'NIFTY',
    last_price: 0,
    expiry: '',
    strike: 0,
    tick_size: 0.05,
    lot_size: 65,
    instrument_type: 'EQ',
    segment: 'NSE',
    exchange: 'NSE',
    ...given,
  };
}

/** An NFO option row. */
export function optionRow(
  instrument_token: number,
  option: {
    readonly expiry: string;
    readonly strike: number;
    readonly type: 'CE' | 'PE';
    readonly name?: string;
  },
): Instrument {
  const name = option.name ?? 'NIFTY';
  return instrumentRow({
    instrument_token,
    tradingsymbol: `${name}${option.expiry.replaceAll('-', '').slice(2)}${option.strike}${option.type}`,
    name,
    expiry: option.expiry,
    strike: option.strike,
    instrument_type: option.type,
    segment: 'NFO-OPT',
    exchange: 'NFO',
  });
}
