import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ASK_FIELD,
  decodeBody,
  FIELD,
  FIELD_COUNT,
  isKnownLength,
  LEVEL_FIELDS,
  PACKET_LENGTH,
  priceDecimals,
  walkFrame,
} from '#streamer/feed/decode.ts';

function view(hex: string): DataView {
  const bytes = Buffer.from(hex.replace(/\s/g, ''), 'hex');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Decoded {
  readonly token: number;
  readonly length: number;
  readonly fields: Float64Array;
}

function decodeAll(frame: DataView): { end: string; packets: Decoded[] } {
  const packets: Decoded[] = [];
  const end = walkFrame(frame, (offset, length) => {
    const fields = new Float64Array(FIELD_COUNT);
    if (isKnownLength(length)) decodeBody(frame, offset, length, fields);
    packets.push({ token: length >= 4 ? frame.getUint32(offset) : 0, length, fields });
  });
  return { end, packets };
}

const LTP = '0008 00 9a 83 02 00 00 27 15'; // token 0x9a8302, 100.05 rupees
const INDEX_QUOTE = `001c 0003e909 00263f5f 00264000 00260000 00261000 00262000 ffffff9c`;
const FULL = [
  '00b8', // 184 bytes
  '009a8302', // token
  'b2d05e00', // last_price 3,000,000,000: past 2^31
  '00000041', // last_quantity 65
  '00002716', // average_price
  'fffffffe', // volume
  '00000003', // buy_quantity
  '00000004', // sell_quantity
  '00000005', // open
  '00000006', // high
  '00000007', // low
  '00000008', // close
  '68798a00', // last_trade_time
  '0000000a', // oi
  '0000000b', // oi_day_high
  '0000000c', // oi_day_low
  '68798a01', // exchange_time
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(
    (i) => `0000000${i.toString(16)} 000001${i.toString(16).padStart(2, '0')} 000${i.toString(16)} dead`,
  ),
].join('');

describe('a frame', () => {
  it('of one byte is a heartbeat without packets', () => {
    expect(decodeAll(view('00'))).toEqual({ end: 'complete', packets: [] });
  });

  it('without packets, or without bytes, holds none', () => {
    expect(decodeAll(view('0000'))).toEqual({ end: 'complete', packets: [] });
    expect(decodeAll(view(''))).toEqual({ end: 'complete', packets: [] });
  });

  it('gives each packet by its own length', () => {
    const { end, packets } = decodeAll(view(`0003 ${LTP} ${INDEX_QUOTE} ${FULL}`));
    expect(end).toBe('complete');
    expect(packets.map(({ length }) => length)).toEqual([8, 28, 184]);
    expect(packets.map(({ token }) => token)).toEqual([0x9a8302, 256265, 0x9a8302]);
    expect(packets[0]!.fields[FIELD.last_price]).toBe(10_005);
  });

  it('reads index packets in their own order of prices', () => {
    const [packet] = decodeAll(view(`0001 ${INDEX_QUOTE}`)).packets;
    const { last_price, high, low, open, close } = FIELD;
    expect([last_price, high, low, open, close].map((field) => packet!.fields[field])).toEqual([
      0x263f5f, 0x264000, 0x260000, 0x261000, 0x262000,
    ]);
  });

  it('reads every field of a full packet as unsigned big-endian', () => {
    const [packet] = decodeAll(view(`0001 ${FULL}`)).packets;
    const { fields } = packet!;
    expect(fields[FIELD.last_price]).toBe(3_000_000_000);
    expect(fields[FIELD.volume]).toBe(4_294_967_294);
    expect([...fields.subarray(FIELD.buy_quantity, FIELD.close + 1)]).toEqual([3, 4, 5, 6, 7, 8]);
    expect([...fields.subarray(FIELD.last_trade_time, FIELD.depth)]).toEqual([
      0x68798a00, 10, 11, 12, 0x68798a01,
    ]);
    expect([...fields.subarray(FIELD.depth, FIELD.depth + LEVEL_FIELDS)]).toEqual([1, 0x101, 1]);
    expect([...fields.subarray(ASK_FIELD, ASK_FIELD + LEVEL_FIELDS)]).toEqual([6, 0x106, 6]);
    expect([...fields.subarray(FIELD_COUNT - LEVEL_FIELDS)]).toEqual([10, 0x10a, 10]);
  });

  it('steps over a packet of unknown length', () => {
    const { end, packets } = decodeAll(view(`0003 ${LTP} 0003 010203 ${LTP}`));
    expect(end).toBe('complete');
    expect(packets.map(({ length }) => isKnownLength(length))).toEqual([true, false, true]);
  });

  it('gives the whole packets of a frame that was cut anywhere, and says that it was', () => {
    const bytes = Buffer.from(`0003${LTP}${LTP}${FULL}`.replace(/\s/g, ''), 'hex');
    for (let cut = 2; cut < bytes.length; cut += 1) {
      const { end, packets } = decodeAll(new DataView(bytes.buffer, bytes.byteOffset, cut));
      expect(end).toBe('truncated');
      expect(packets).toHaveLength(cut < 12 ? 0 : cut < 22 ? 1 : 2);
    }
  });

  it('tells of bytes after its last packet', () => {
    expect(decodeAll(view(`0001 ${LTP} 00`)).end).toBe('trailing');
  });

  it('never reads outside of itself, whatever it holds', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      decodeAll(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    });
    fc.assert(property, { seed: 1, numRuns: 5_000 });
  });

  it('keeps what a shorter packet does not carry', () => {
    const fields = new Float64Array(FIELD_COUNT);
    const full = view(FULL.slice(4));
    decodeBody(full, 0, PACKET_LENGTH.full, fields);
    decodeBody(view(LTP.slice(4)), 0, PACKET_LENGTH.ltp, fields);
    expect(fields[FIELD.last_price]).toBe(10_005);
    expect(fields[FIELD.oi]).toBe(10);
  });
});

describe('price units', () => {
  it('are paise but for currencies', () => {
    expect([1, 2, 4, 5, 7, 9].map((segment) => priceDecimals(0x100 + segment))).toEqual([2, 2, 2, 2, 2, 2]);
    expect(priceDecimals(0x103)).toBe(7);
    expect(priceDecimals(0x106)).toBe(4);
  });
});

interface OracleTick {
  readonly instrument_token: number;
  readonly last_price: number;
  readonly average_traded_price?: number;
  readonly last_traded_quantity?: number;
  readonly volume_traded?: number;
  readonly oi?: number;
  readonly ohlc?: { open: number; high: number; low: number; close: number };
  readonly depth?: Record<'buy' | 'sell', { quantity: number; price: number; orders: number }[]>;
}

/** The official client's own decoder. It is signed, so it serves for values below 2^31. */
const { KiteTicker } = createRequire(import.meta.url)('kiteconnect') as {
  KiteTicker: new (parameters: object) => { parseBinary(frame: ArrayBuffer): OracleTick[] };
};

describe("kiteconnect's parseBinary", () => {
  const oracle = new KiteTicker({ api_key: 'x', access_token: 'y' });
  const packet = fc
    .record({
      length: fc.constantFrom(8, 28, 32, 44, 184),
      exchangeToken: fc.integer({ min: 1, max: 0x3fffff }),
      words: fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 46, maxLength: 46 }),
    })
    .map(({ length, exchangeToken, words }) => {
      const body = Buffer.alloc(length);
      const segment = length === 28 || length === 32 ? 9 : 2;
      body.writeUInt32BE((exchangeToken << 8) | segment, 0);
      for (let at = 4; at + 4 <= length; at += 4) body.writeUInt32BE(words[at / 4]!, at);
      if (length === 184)
        for (let at = 64; at < 184; at += 12) body.writeUInt16BE(words[at % 46]! & 0x7fff, at + 8);
      return body;
    });

  it('agrees on prices, quantities and depth', () => {
    const property = fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), (bodies) => {
      const count = Buffer.alloc(2);
      count.writeUInt16BE(bodies.length);
      const parts = bodies.flatMap((body) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(body.length);
        return [length, body];
      });
      const bytes = new Uint8Array(Buffer.concat([count, ...parts]));
      const { packets } = decodeAll(new DataView(bytes.buffer));
      const ticks = oracle.parseBinary(bytes.buffer);
      expect(ticks).toHaveLength(packets.length);
      for (const [index, tick] of ticks.entries()) compare(packets[index]!, tick);
    });
    fc.assert(property, { seed: 7, numRuns: 500 });
  });

  function compare({ token, length, fields }: Decoded, tick: OracleTick): void {
    expect(token).toBe(tick.instrument_token);
    expect(fields[FIELD.last_price]! / 100).toBe(tick.last_price);
    if (tick.ohlc !== undefined && length !== 8) {
      const { open, high, low, close } = FIELD;
      const ohlc = [open, high, low, close].map((field) => fields[field]! / 100);
      expect(ohlc).toEqual([tick.ohlc.open, tick.ohlc.high, tick.ohlc.low, tick.ohlc.close]);
    }
    if (length !== 44 && length !== 184) return;
    expect(fields[FIELD.volume]).toBe(tick.volume_traded);
    expect(fields[FIELD.last_quantity]).toBe(tick.last_traded_quantity);
    expect(fields[FIELD.average_price]! / 100).toBe(tick.average_traded_price);
    if (length !== 184) return;
    expect(fields[FIELD.oi]).toBe(tick.oi);
    const levels = [...tick.depth!.buy, ...tick.depth!.sell];
    for (const [index, level] of levels.entries()) {
      const at = FIELD.depth + index * LEVEL_FIELDS;
      expect([fields[at], fields[at + 1]! / 100, fields[at + 2]]).toEqual([
        level.quantity,
        level.price,
        level.orders,
      ]);
    }
  }
});

describe('the decoder', () => {
  it('knows no socket, clock or logger', () => {
    const source = readFileSync(new URL('../../../../streamer/feed/decode.ts', import.meta.url), 'utf8');
    expect(source.match(/from '.*'/g)).toEqual(["from '#shared/market/instrument.ts'"]);
  });
});
