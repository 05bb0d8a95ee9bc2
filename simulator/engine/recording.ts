import { istMs } from '#shared/market/calendar.ts';
import { MarketInputError, readMaybeGzip } from './input.ts';
import { MINUTE_MS } from './path.ts';

/** One contract's recorded minutes, aligned with the recording's; gaps repeat the value before them. */
export interface RecordedContract {
  readonly expiry: string;
  readonly strike: number;
  readonly type: 'CE' | 'PE';
  /** The contract's first recorded minute, as an index. */
  readonly first: number;
  readonly ltp: Float64Array;
  /** Never falls: the exchange's counter does not. */
  readonly volume: Float64Array;
  readonly oi: Float64Array;
  /** Implied volatility at the first minute that has a solvable one, as a fraction; 0 without. */
  readonly iv: number;
}

export interface Recording {
  readonly file: string;
  /** The dump's `name` of the recorded options. */
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly spot: Float64Array;
  readonly contracts: ReadonlyMap<string, RecordedContract>;
}

const COLUMNS = ['timestamp', 'expiry', 'strike', 'option_type', 'spot', 'ltp', 'volume', 'oi'] as const;
type Column = (typeof COLUMNS)[number] | 'iv';
const MAX_MINUTES = 1_500;
/** Below this the recorded `iv` is the mark of a price that no volatility explains. */
const LEAST_IV_PERCENT = 1;

export function contractKey(expiry: string, strike: number, type: string): string {
  return `${expiry}|${strike}|${type}`;
}

/** The row of a replay: minute index and values; NaN where a cell is no number. */
interface Row {
  readonly timestamp: string;
  readonly expiry: string;
  readonly strike: number;
  readonly type: string;
  readonly spot: number;
  readonly ltp: number;
  readonly volume: number;
  readonly oi: number;
  readonly iv: number;
}

/** @throws MarketInputError when the file cannot be read or is not a recorded chain of one day. */
export function loadRecording(file: string, name = 'NIFTY'): Recording {
  return parseRecording(readMaybeGzip(file), file, name);
}

/** The same from text; `file` only names it in errors. */
export function parseRecording(text: string, file: string, name = 'NIFTY'): Recording {
  const headerEnd = text.indexOf('\n');
  const header = text
    .slice(0, headerEnd < 0 ? text.length : headerEnd)
    .trim()
    .split(',');
  const at = columnIndexes(header, file);
  const rows = parseRows(text, headerEnd, at, file);
  if (rows.length === 0) throw new MarketInputError(`${file} has no rows`);
  const times = new Map<string, number>();
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = 0;
  for (const row of rows) {
    if (times.has(row.timestamp)) continue;
    const ms = minuteMs(row.timestamp, file);
    times.set(row.timestamp, ms);
    fromMs = Math.min(fromMs, ms);
    toMs = Math.max(toMs, ms);
  }
  const length = (toMs - fromMs) / MINUTE_MS + 1;
  if (length > MAX_MINUTES) {
    throw new MarketInputError(`${file} covers ${length} minutes: one day (${MAX_MINUTES}) is the most`);
  }
  return build(rows, times, { file, name, fromMs, toMs }, length);
}

function columnIndexes(header: readonly string[], file: string): Record<Column, number> {
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new MarketInputError(`${file} is no recorded chain: it lacks the columns ${missing.join(', ')}`);
  }
  const entries = [...COLUMNS, 'iv' as const].map((column) => [column, header.indexOf(column)]);
  return Object.fromEntries(entries) as Record<Column, number>;
}

function parseRows(text: string, headerEnd: number, at: Record<Column, number>, file: string): Row[] {
  const rows: Row[] = [];
  let start = headerEnd + 1;
  for (let line = 2; headerEnd >= 0 && start < text.length; line++) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const cells = text.slice(start, end).trimEnd().split(',');
    start = end + 1;
    if (cells.length === 1 && cells[0] === '') continue;
    rows.push(toRow(cells, at, file, line));
  }
  return rows;
}

function toRow(cells: readonly string[], at: Record<Column, number>, file: string, line: number): Row {
  const row: Row = {
    timestamp: cells[at.timestamp] ?? '',
    expiry: cells[at.expiry] ?? '',
    strike: Number(cells[at.strike]),
    type: cells[at.option_type] ?? '',
    spot: Number(cells[at.spot]),
    ltp: Number(cells[at.ltp]),
    volume: Number(cells[at.volume]),
    oi: Number(cells[at.oi]),
    iv: at.iv < 0 ? 0 : Number(cells[at.iv]),
  };
  const usable =
    row.strike > 0 &&
    (row.type === 'CE' || row.type === 'PE') &&
    row.spot > 0 &&
    row.ltp >= 0 &&
    row.volume >= 0 &&
    row.oi >= 0;
  if (!usable)
    throw new MarketInputError(`${file} line ${line}: a price, strike, type or count is not usable`);
  return row;
}

function minuteMs(timestamp: string, file: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(timestamp);
  const ms =
    match === null ? Number.NaN : istMs(`${match[1]}-${match[2]}-${match[3]}`, `${match[4]}:${match[5]}`);
  if (Number.isNaN(ms)) {
    throw new MarketInputError(`${file}: timestamp "${timestamp}" is not yyyymmddHHMM`);
  }
  return ms;
}

interface Span {
  readonly file: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

function build(
  rows: readonly Row[],
  times: ReadonlyMap<string, number>,
  span: Span,
  length: number,
): Recording {
  const spot = new Float64Array(length).fill(Number.NaN);
  const contracts = new Map<string, RecordedContract & { iv: number }>();
  for (const row of rows) {
    const index = (times.get(row.timestamp)! - span.fromMs) / MINUTE_MS;
    spot[index] = row.spot;
    const key = contractKey(row.expiry, row.strike, row.type);
    let contract = contracts.get(key);
    if (contract === undefined) {
      contract = newContract(row, index, length);
      contracts.set(key, contract);
    }
    contract.ltp[index] = row.ltp;
    contract.volume[index] = row.volume;
    contract.oi[index] = row.oi;
    if (contract.iv === 0 && row.iv > LEAST_IV_PERCENT) contract.iv = row.iv / 100;
  }
  fillGaps(spot);
  for (const contract of contracts.values()) {
    fillGaps(contract.ltp);
    fillGaps(contract.volume);
    fillGaps(contract.oi);
    for (let i = 1; i < length; i++) {
      contract.volume[i] = Math.max(contract.volume[i]!, contract.volume[i - 1]!);
    }
  }
  return { ...span, spot, contracts };
}

function newContract(row: Row, first: number, length: number): RecordedContract & { iv: number } {
  const nothing = () => new Float64Array(length).fill(Number.NaN);
  const type = row.type === 'CE' ? 'CE' : 'PE';
  return {
    expiry: row.expiry,
    strike: row.strike,
    type,
    first,
    ltp: nothing(),
    volume: nothing(),
    oi: nothing(),
    iv: 0,
  };
}

/** Holes repeat what was before them; those at the start, what comes first. */
function fillGaps(values: Float64Array): void {
  let last = values.find((value) => !Number.isNaN(value)) ?? 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) values[i] = last;
    else last = values[i]!;
  }
}
