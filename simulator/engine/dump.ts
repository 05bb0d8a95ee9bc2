import type { Instrument } from '#shared/market/instrument.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { MarketInputError, readMaybeGzip } from './input.ts';

/**
 * All rows of the given dumps; a token that stands in two of them is the first file's.
 * @throws MarketInputError naming the file and what was wrong in it.
 */
export function loadDumps(files: readonly string[]): Instrument[] {
  const byToken = new Map<number, Instrument>();
  for (const file of files) {
    for (const instrument of loadDump(file)) {
      if (!byToken.has(instrument.instrument_token)) byToken.set(instrument.instrument_token, instrument);
    }
  }
  return [...byToken.values()];
}

function loadDump(file: string): Instrument[] {
  const text = readMaybeGzip(file);
  try {
    const rows = parseInstrumentsCsv(text);
    if (rows.length === 0) throw new Error('it has no rows');
    for (const row of rows) checkUsable(row);
    return rows;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MarketInputError(`${file} is no instruments dump: ${reason}`, { cause });
  }
}

/** What could not be priced is better refused than served. */
function checkUsable({
  tradingsymbol,
  instrument_type,
  expiry,
  strike,
  tick_size,
  lot_size,
}: Instrument): void {
  if (!(tick_size >= 0 && lot_size >= 0)) throw new Error(`${tradingsymbol} has no usable tick or lot size`);
  if (instrument_type === 'EQ') return;
  const isDay = /^\d{4}-\d\d-\d\d$/.test(expiry) && !Number.isNaN(Date.parse(expiry));
  if (!isDay) throw new Error(`${tradingsymbol} has the expiry "${expiry}", not a day (yyyy-mm-dd)`);
  if (instrument_type !== 'FUT' && !(strike > 0)) throw new Error(`${tradingsymbol} has no strike`);
}

/** What of yesterday's dump a new day still has: expired contracts go. */
export function withoutExpired(dump: readonly Instrument[], day: string): Instrument[] {
  return dump.filter(({ expiry }) => expiry === '' || expiry >= day);
}
