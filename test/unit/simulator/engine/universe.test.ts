import { describe, expect, it } from 'vitest';
import { type Instrument, segmentOf } from '#shared/market/instrument.ts';
import { formatInstrumentsCsv, parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { UNDERLYINGS } from '#shared/market/underlyings.ts';
import { UnderlyingBook } from '#simulator/engine/underlyings.ts';
import { builtinUniverse } from '#simulator/engine/universe.ts';

const book = new UnderlyingBook(1, [], undefined);
const universe = (day: string) => builtinUniverse(day, (name, ms) => book.levelAt(name, ms));
const DAYS = ['2026-08-18', '2026-08-19', '2026-11-09', '2026-11-23', '2026-12-31', '2027-03-15'];
const key = (i: Instrument) => `${i.exchange}:${i.tradingsymbol}`;

describe('the built-in universe', () => {
  it.each(DAYS)('has unique tokens and symbols on %s', (day) => {
    const rows = universe(day);
    expect(new Set(rows.map((row) => row.instrument_token)).size).toBe(rows.length);
    expect(new Set(rows.map(key)).size).toBe(rows.length);
  });

  it.each(DAYS)('has tokens that are the exchange token and the segment on %s', (day) => {
    const segments = { NSE: 1, NFO: 2, BFO: 5, BSE: 4 } as const;
    for (const row of universe(day)) {
      expect(row.instrument_token >>> 8).toBe(row.exchange_token);
      const expected = row.segment === 'INDICES' ? 9 : segments[row.exchange as keyof typeof segments];
      expect(segmentOf(row.instrument_token)).toBe(expected);
    }
  });

  it('keeps each index to its own range of exchange tokens', () => {
    for (const row of universe('2026-08-18').filter((candidate) => candidate.expiry !== '')) {
      const base = { NIFTY: 36_000, BANKNIFTY: 41_000, FINNIFTY: 46_000, SENSEX: 51_000 }[row.name]!;
      expect(row.exchange_token).toBeGreaterThanOrEqual(base);
      expect(row.exchange_token).toBeLessThan(base + 5_000);
    }
  });

  it('has the real tokens of the indices and of RELIANCE', () => {
    const byKey = new Map(universe('2026-08-18').map((row) => [key(row), row.instrument_token]));
    for (const name of ['NIFTY', 'BANKNIFTY', 'FINNIFTY', 'SENSEX']) {
      const index = UNDERLYINGS.find((underlying) => underlying.name === name)!;
      expect(byKey.get(`${index.exchange}:${index.tradingsymbol}`)).toBe(index.instrument_token);
    }
    expect(byKey.get('NSE:INDIA VIX')).toBe(264_969);
    expect(byKey.get('NSE:RELIANCE')).toBe(738_561);
  });

  it('has fifty shares, and the lot sizes of the dump of 18 Aug 2026', () => {
    const rows = universe('2026-08-18');
    expect(rows.filter((row) => row.segment === 'NSE').length).toBe(50);
    const lots = { NIFTY: 65, BANKNIFTY: 30, FINNIFTY: 60, SENSEX: 20 };
    for (const [name, lot] of Object.entries(lots)) {
      const derivatives = rows.filter((row) => row.name === name && row.expiry !== '');
      expect(derivatives.filter((row) => row.instrument_type === 'FUT').length).toBe(3);
      expect(derivatives.length).toBeGreaterThan(400);
      expect(new Set(derivatives.map((row) => row.lot_size))).toEqual(new Set([lot]));
    }
  });

  it('spells symbols as Kite does', () => {
    const symbols = new Set(universe('2026-08-18').map(key));
    for (const symbol of [
      'NFO:NIFTY26AUGFUT',
      'NFO:NIFTY2681824000CE',
      'NFO:NIFTY26AUG24000PE',
      'NFO:BANKNIFTY26SEPFUT',
      'BFO:SENSEX2682079000CE',
      'BFO:SENSEX26AUGFUT',
    ]) {
      expect(symbols).toContain(symbol);
    }
  });

  it('gives the tokens of an expired week to the week that is listed next', () => {
    const before = new Map(universe('2026-08-18').map((row) => [row.instrument_token, row]));
    const after = universe('2026-08-19');
    const recycled = after.filter((row) => {
      const old = before.get(row.instrument_token);
      return old !== undefined && key(old) !== key(row);
    });
    expect(recycled.length).toBeGreaterThan(100);
    expect(new Set(recycled.map((row) => row.expiry))).toEqual(new Set(['2026-09-22']));
  });

  it('keeps every contract, with its token, until it expires', () => {
    let before = universe('2026-10-05');
    for (const day of ['2026-10-06', '2026-10-07', '2026-10-08', '2026-10-09', '2026-10-12', '2026-10-13']) {
      const after = new Map(universe(day).map((row) => [key(row), row.instrument_token]));
      for (const row of before) {
        if (row.expiry === '' || row.expiry >= day) expect(after.get(key(row))).toBe(row.instrument_token);
      }
      before = universe(day);
    }
  });

  it('can be served and read back as a dump', () => {
    const rows = universe('2026-08-18');
    expect(parseInstrumentsCsv(formatInstrumentsCsv(rows))).toEqual(rows);
  });
});
