import { describe, expect, it } from 'vitest';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Quote } from '#simulator/contracts.ts';
import { EMPTY_DEPTH } from '#simulator/engine/book.ts';
import { encodeFrame, encodePacket } from '#simulator/feed/packets.ts';

const FUTURE: Instrument = {
  instrument_token: 14_866_434,
  exchange_token: 58_072,
  tradingsymbol: 'NIFTY26AUGFUT',
  name: 'NIFTY',
  last_price: 0,
  expiry: '2026-08-25',
  strike: 0,
  tick_size: 0.1,
  lot_size: 65,
  instrument_type: 'FUT',
  segment: 'NFO-FUT',
  exchange: 'NFO',
};
const INDEX: Instrument = {
  ...FUTURE,
  instrument_token: 256_265,
  tradingsymbol: 'NIFTY 50',
  segment: 'INDICES',
};

/** A volume past 2^31 tells signed from unsigned. */
const QUOTE: Quote = {
  instrument: FUTURE,
  last_price: 24_200.55,
  last_quantity: 65,
  average_price: 24_198.1,
  volume: 3_000_000_000,
  buy_quantity: 123_500,
  sell_quantity: 98_150,
  ohlc: { open: 24_100, high: 24_250.05, low: 24_050.1, close: 23_999.9 },
  lastTradeMs: 1_787_030_000_000,
  exchangeMs: 1_787_030_001_999,
  oi: 15_600_000,
  oi_day_high: 15_800_005,
  oi_day_low: 15_000_050,
  lower_circuit_limit: 0,
  upper_circuit_limit: 0,
  depth: {
    buy: [0, 1, 2, 3, 4].map((i) => ({ price: 24_200.5 - i / 10, quantity: 65 * (i + 1), orders: i + 1 })),
    sell: [0, 1, 2, 3, 4].map((i) => ({ price: 24_200.6 + i / 10, quantity: 130 * (i + 1), orders: i + 7 })),
  },
};
const INDEX_QUOTE: Quote = {
  ...QUOTE,
  instrument: INDEX,
  last_price: 24_212.8,
  ohlc: { open: 24_100, high: 24_250, low: 24_010.1, close: 24_300 },
  depth: EMPTY_DEPTH,
};

const HEAD = '00e2d8020024ed57000000410024ec62b2d05e000001e26c00017f66' + '0024c610002500ad0024b29200249ef6';
const TIMES = '6a83e9f000ee098000f116c500e4e1f26a83e9f1';
const BIDS =
  '000000410024ed5200010000' +
  '000000820024ed4800020000' +
  '000000c30024ed3e00030000' +
  '000001040024ed3400040000' +
  '000001450024ed2a00050000';
const ASKS =
  '000000820024ed5c00070000' +
  '000001040024ed6600080000' +
  '000001860024ed7000090000' +
  '000002080024ed7a000a0000' +
  '0000028a0024ed84000b0000';
const INDEX_HEAD = '0003e9090024f220002500a80024a2f20024c61000251430ffffddf0';

describe('packets', () => {
  it('of a tradable instrument in full mode are these 184 bytes', () => {
    expect(encodePacket(QUOTE, 'full').toString('hex')).toBe(HEAD + TIMES + BIDS + ASKS);
  });

  it('of a tradable instrument in quote mode are the first 44 of them', () => {
    expect(encodePacket(QUOTE, 'quote').toString('hex')).toBe(HEAD);
  });

  it('in ltp mode are these 8 bytes, for an index too', () => {
    expect(encodePacket(QUOTE, 'ltp').toString('hex')).toBe('00e2d8020024ed57');
    expect(encodePacket(INDEX_QUOTE, 'ltp').toString('hex')).toBe('0003e9090024f220');
  });

  it('of an index have high and low before open, a signed change, and in full mode the time', () => {
    expect(encodePacket(INDEX_QUOTE, 'quote').toString('hex')).toBe(INDEX_HEAD);
    expect(encodePacket(INDEX_QUOTE, 'full').toString('hex')).toBe(`${INDEX_HEAD}6a83e9f1`);
  });

  it.each([
    [3, 83.4525, 834_525_000],
    [6, 83.4525, 834_525],
    [7, 5_321.5, 532_150],
  ])('of segment %i carry %f as %i', (segment, price, expected) => {
    const instrument = { ...FUTURE, instrument_token: (1_000 << 8) | segment };
    expect(encodePacket({ ...QUOTE, instrument, last_price: price }, 'ltp').readUInt32BE(4)).toBe(expected);
  });

  it('carry the largest number where a value does not fit', () => {
    const packet = encodePacket({ ...QUOTE, volume: 2 ** 33, oi: -5 }, 'full');
    expect([packet.readUInt32BE(16), packet.readUInt32BE(48)]).toEqual([0xffff_ffff, 0]);
  });

  it('stand in a frame after their number, each after its length', () => {
    const frame = encodeFrame([encodePacket(QUOTE, 'ltp'), encodePacket(INDEX_QUOTE, 'ltp')]);
    expect(frame.toString('hex')).toBe('0002' + '000800e2d8020024ed57' + '00080003e9090024f220');
  });
});
