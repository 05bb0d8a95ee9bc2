import { parse } from 'csv-parse/sync';
import type { Instrument } from './instrument.ts';

/** The columns of the broker's dump, in its order. */
export const INSTRUMENT_COLUMNS = [
  'instrument_token',
  'exchange_token',
  'tradingsymbol',
  'name',
  'last_price',
  'expiry',
  'strike',
  'tick_size',
  'lot_size',
  'instrument_type',
  'segment',
  'exchange',
] as const;

export class InstrumentsCsvError extends Error {
  readonly code = 'instruments_csv_invalid';
}

const TYPES = new Set(['EQ', 'FUT', 'CE', 'PE']);

/**
 * Reads a dump as the broker serves it.
 * @throws InstrumentsCsvError when the header differs or a row's token or type is not usable.
 */
export function parseInstrumentsCsv(text: string): Instrument[] {
  const rows = parse(text, { relax_column_count: false }) as string[][];
  const header = rows[0];
  if (header === undefined || INSTRUMENT_COLUMNS.some((column, index) => header[index] !== column)) {
    throw new InstrumentsCsvError(`expected the columns ${INSTRUMENT_COLUMNS.join(',')}`);
  }
  return rows.slice(1).map((cells, index) => toInstrument(cells, index + 2));
}

function toInstrument(cells: string[], line: number): Instrument {
  const [
    token,
    exchangeToken,
    tradingsymbol,
    name,
    lastPrice,
    expiry,
    strike,
    tick,
    lot,
    type,
    segment,
    exchange,
  ] = cells as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const instrument_token = Number(token);
  if (!Number.isInteger(instrument_token) || instrument_token <= 0 || !TYPES.has(type)) {
    throw new InstrumentsCsvError(
      `line ${line}: instrument_token "${token}" or instrument_type "${type}" is not usable`,
    );
  }
  return {
    instrument_token,
    exchange_token: Number(exchangeToken),
    tradingsymbol,
    name,
    last_price: Number(lastPrice),
    expiry,
    strike: Number(strike),
    tick_size: Number(tick),
    lot_size: Number(lot),
    instrument_type: type as Instrument['instrument_type'],
    segment,
    exchange,
  };
}

/** Writes a dump in the broker's raw form: `name` quoted, numbers as they are, one `\n` a line. */
export function formatInstrumentsCsv(instruments: Iterable<Instrument>): string {
  const lines = [INSTRUMENT_COLUMNS.join(',')];
  for (const i of instruments) {
    lines.push(
      `${i.instrument_token},${i.exchange_token},${i.tradingsymbol},"${i.name}",${i.last_price},${i.expiry},${i.strike},` +
        `${i.tick_size},${i.lot_size},${i.instrument_type},${i.segment},${i.exchange}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
