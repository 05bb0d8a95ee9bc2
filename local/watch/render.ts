import { istDateTime } from '#shared/market/calendar.ts';
import type { OptionSnapshot } from '#shared/market/snapshot.ts';
import { type ChainId, type OptionChains, rowsAround } from './chain.ts';

export interface Header {
  readonly ticksPerSecond: number;
  /** Market time of the newest envelope, epoch ms; undefined before the first. */
  readonly marketMs: number | undefined;
}

const WIDTHS = { oi: 14, delta: 7, iv: 7, ltp: 10, strike: 9 } as const;
const NOTHING = '-';

/** The chains as lines of plain text; strikes by rows, calls left, puts right. */
export function renderChains(
  chains: OptionChains,
  shown: readonly ChainId[],
  header: Header,
  rowCount: number,
): string[] {
  const time = header.marketMs === undefined ? 'no tick yet' : `${istDateTime(header.marketMs)} IST`;
  const lines = [`${time}   ${header.ticksPerSecond.toFixed(0)} ticks/s`];
  if (shown.length === 0)
    lines.push('', 'No option has ticked yet: subscribe some with POST /subscriptions.');
  for (const chain of shown) lines.push('', ...renderChain(chains, chain, rowCount));
  return lines;
}

function renderChain(chains: OptionChains, chain: ChainId, rowCount: number): string[] {
  const spot = chains.spot(chain.underlying);
  const rows = rowsAround(chains.rows(chain), spot, rowCount);
  const isMock = rows.some(({ call, put }) => call?.is_mock === true || put?.is_mock === true);
  const lines = [
    `${chain.underlying} ${chain.expiry}   spot ${spot === undefined ? NOTHING : spot.toFixed(2)}${isMock ? '   SIMULATED' : ''}`,
    `${headings(['oi', 'delta', 'iv', 'ltp'])}${'strike'.padStart(WIDTHS.strike)}${headings(['ltp', 'iv', 'delta', 'oi'])}`,
  ];
  for (const row of rows) {
    const strike = row.strike.toFixed(row.strike % 1 === 0 ? 0 : 2).padStart(WIDTHS.strike);
    lines.push(
      `${cells(row.call, ['oi', 'delta', 'iv', 'ltp'])}${strike}${cells(row.put, ['ltp', 'iv', 'delta', 'oi'])}`,
    );
  }
  return lines;
}

type Column = 'oi' | 'delta' | 'iv' | 'ltp';
const TITLES: Record<Column, string> = { oi: 'OI', delta: 'delta', iv: 'IV %', ltp: 'LTP' };

function headings(columns: readonly Column[]): string {
  return columns.map((column) => TITLES[column].padStart(WIDTHS[column])).join('');
}

function cells(option: OptionSnapshot | undefined, columns: readonly Column[]): string {
  return columns.map((column) => cell(option, column).padStart(WIDTHS[column])).join('');
}

function cell(option: OptionSnapshot | undefined, column: Column): string {
  if (option === undefined) return NOTHING;
  switch (column) {
    case 'oi':
      return option.oi === undefined ? NOTHING : option.oi.toLocaleString('en-IN');
    case 'delta':
      return option.delta === null ? NOTHING : (Math.round(option.delta * 100) / 100 + 0).toFixed(2);
    case 'iv':
      return option.iv === null ? NOTHING : (option.iv * 100).toFixed(1);
    case 'ltp':
      return option.ltp.toFixed(2);
  }
}
