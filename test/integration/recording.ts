import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { RECORDED_DAY } from './recorded-day.ts';

/** One row of the recorded chain: rupees, iv in percent. */
export interface RecordedRow {
  readonly spot: number;
  readonly ltp: number;
  readonly volume: number;
  readonly oi: number;
  readonly iv: number;
}

const readGzip = (file: string) => gunzipSync(readFileSync(file)).toString('utf8');

export function readDump(file: string): Instrument[] {
  return parseInstrumentsCsv(readGzip(file));
}

/** The recorded chain by contract and minute; read by a path of its own, so that it checks the simulator's. */
export class Recording {
  readonly #rows = new Map<string, RecordedRow>();
  readonly #spots = new Map<number, number>();

  constructor() {
    const records = parse(readGzip(RECORDED_DAY.chain), { columns: true }) as Record<string, string>[];
    for (const record of records) {
      const stamp = record.timestamp!;
      const atMs = istMs(RECORDED_DAY.day, `${stamp.slice(8, 10)}:${stamp.slice(10, 12)}`);
      this.#spots.set(atMs, Number(record.spot));
      this.#rows.set(`${record.expiry}|${Number(record.strike)}|${record.option_type}|${atMs}`, {
        spot: Number(record.spot),
        ltp: Number(record.ltp),
        volume: Number(record.volume),
        oi: Number(record.oi),
        iv: Number(record.iv),
      });
    }
  }

  row(
    contract: { expiry: string; strike: number; option_type: string },
    atMs: number,
  ): RecordedRow | undefined {
    return this.#rows.get(`${contract.expiry}|${contract.strike}|${contract.option_type}|${atMs}`);
  }

  spot(atMs: number): number | undefined {
    return this.#spots.get(atMs);
  }
}
