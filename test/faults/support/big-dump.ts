import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Instrument } from '#shared/market/instrument.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';

/** As many as the broker's whole dump has. */
export const BIG_DUMP_ROWS = 114_000;
const DATA = process.env.TICKER_DATA_DIR ?? '../shared/data';
const REAL = ['kite-instruments-nfo-bfo-2026-08-18.csv.gz', 'kite-instruments-nse-2026-03-14.csv.gz'];
const NFO = 2;

/** These rows among as many others as make up a whole dump: the broker's own where they are there, else made-up ones. */
export function bigDump(rows: readonly Instrument[]): Instrument[] {
  const byToken = new Map([...realRows(), ...rows].map((row) => [row.instrument_token, row]));
  for (let exchange_token = 1; byToken.size < BIG_DUMP_ROWS; exchange_token += 1) {
    const instrument_token = exchange_token * 256 + NFO;
    if (!byToken.has(instrument_token)) byToken.set(instrument_token, madeUp(instrument_token));
  }
  return [...byToken.values()];
}

function realRows(): Instrument[] {
  return REAL.map((name) => join(DATA, name))
    .filter((path) => existsSync(path))
    .flatMap((path) => parseInstrumentsCsv(gunzipSync(readFileSync(path)).toString('utf8')));
}

function madeUp(instrument_token: number): Instrument {
  const exchange_token = Math.floor(instrument_token / 256);
  return {
    instrument_token,
    exchange_token,
    tradingsymbol: `MADEUP26OCT${exchange_token}CE`,
    name: 'MADEUP',
    last_price: 0,
    expiry: '2026-10-27',
    strike: exchange_token,
    tick_size: 0.05,
    lot_size: 65,
    instrument_type: 'CE',
    segment: 'NFO-OPT',
    exchange: 'NFO',
  };
}
