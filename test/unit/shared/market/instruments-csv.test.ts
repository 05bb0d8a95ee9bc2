import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instrument } from '#shared/market/instrument.ts';
import {
  formatInstrumentsCsv,
  INSTRUMENT_COLUMNS,
  InstrumentsCsvError,
  parseInstrumentsCsv,
} from '#shared/market/instruments-csv.ts';

const DATA = resolve(import.meta.dirname, '../../../..', process.env.TICKER_DATA_DIR ?? '../shared/data');
const HEADER = INSTRUMENT_COLUMNS.join(',');

const word = fc.stringMatching(/^[A-Z0-9][A-Z0-9 &-]{0,14}[A-Z0-9]$/);
const instrument: fc.Arbitrary<Instrument> = fc.record({
  instrument_token: fc.integer({ min: 1, max: 0xffff_ffff }),
  exchange_token: fc.nat(),
  tradingsymbol: word,
  name: word,
  last_price: fc.constant(0),
  expiry: fc.constantFrom('', '2026-08-25'),
  strike: fc.integer({ min: 0, max: 9_999_900 }).map((paise) => paise / 100),
  tick_size: fc.constantFrom(0, 0.05, 0.1, 0.2),
  lot_size: fc.nat(2_000),
  instrument_type: fc.constantFrom('EQ', 'FUT', 'CE', 'PE'),
  segment: fc.constantFrom('INDICES', 'NSE', 'NFO-OPT'),
  exchange: fc.constantFrom('NSE', 'NFO'),
});

describe('the instruments dump', () => {
  it('reads quoted and plain names, whole and broken strikes', () => {
    const text = `${HEADER}\n256265,1001,NIFTY 50,"NIFTY 50",0,,0,0,0,EQ,INDICES,NSE\n11546626,45104,NIFTY2681824350CE,NIFTY,0.0,2026-08-18,24350.0,0.05,65,CE,NFO-OPT,NFO\n`;
    const [index, option] = parseInstrumentsCsv(text);
    expect(index).toMatchObject({
      instrument_token: 256265,
      name: 'NIFTY 50',
      expiry: '',
      segment: 'INDICES',
    });
    expect(option).toMatchObject({ strike: 24350, tick_size: 0.05, lot_size: 65, expiry: '2026-08-18' });
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(instrument, { maxLength: 20 }), (rows) => {
        expect(parseInstrumentsCsv(formatInstrumentsCsv(rows))).toEqual(rows);
      }),
    );
  });

  it.each([
    ['', /expected the columns/],
    ['a,b\n1,2\n', /expected the columns/],
    [`${HEADER}\n0,1,X,X,0,,0,0,0,EQ,NSE,NSE\n`, /line 2: instrument_token "0"/],
    [`${HEADER}\n5,1,X,X,0,,0,0,0,XX,NSE,NSE\n`, /instrument_type "XX"/],
  ])('refuses %j with the reason', (text, reason) => {
    expect(() => parseInstrumentsCsv(text)).toThrow(reason);
    expect(() => parseInstrumentsCsv(text)).toThrow(InstrumentsCsvError);
  });

  it('reads every row of the real dumps', (context) => {
    const files = {
      'kite-instruments-nfo-bfo-2026-08-18.csv.gz': 39_941,
      'kite-instruments-nse-2026-03-14.csv.gz': 9_451,
    };
    for (const [file, rows] of Object.entries(files)) {
      const path = join(DATA, file);
      if (!existsSync(path)) context.skip(`needs ${file} in ${DATA} (TICKER_DATA_DIR)`);
      const instruments = parseInstrumentsCsv(gunzipSync(readFileSync(path)).toString('utf8'));
      expect(instruments).toHaveLength(rows);
      expect(new Set(instruments.map((row) => row.instrument_token)).size).toBe(rows);
    }
  });
});
