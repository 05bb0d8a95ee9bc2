import { percentile } from '../figure.ts';
import type { Fault } from './fault.ts';
import type { Run } from './measure.ts';

const BEGIN = '<!-- faults: made by npm run faults -- --report -->';
const END = '<!-- faults: end -->';
const HEAD = [
  '| fault | what readers of the instruments concerned see | gap p50 | worst | ticks missing, worst | all other instruments | runs | how it is known |',
  '|---|---|---|---|---|---|---|---|',
];

const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

export function rowOf(fault: Fault, runs: readonly Run[]): string {
  const gaps = runs.flatMap(({ gapMs }) => gapMs ?? []);
  const others = runs.flatMap(({ othersGapMs }) => othersGapMs ?? []);
  const othersMissing = runs.reduce((sum, run) => sum + run.othersMissing, 0);
  const cells = [
    fault.name,
    fault.seen,
    gaps.length === 0 ? '-' : inSeconds(percentile(gaps, 0.5)),
    gaps.length === 0 ? '-' : inSeconds(Math.max(...gaps)),
    gaps.length === 0 ? '-' : String(Math.max(...runs.map(({ missing }) => missing))),
    others.length === 0
      ? '-'
      : `${othersMissing} ticks missing, at most ${inSeconds(Math.max(...others))} late`,
    String(runs.length),
    fault.known,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The page with these rows in the place of those of the same faults; rows of other faults stay as they are. */
export function withRows(page: string, faults: readonly Fault[], rows: ReadonlyMap<string, string>): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Error(`the page has no place for the table: ${BEGIN} ... ${END}`);
  const before = page.slice(begin + BEGIN.length, end).split('\n');
  const rowNamed = (name: string) => rows.get(name) ?? before.find((line) => line.startsWith(`| ${name} |`));
  const body = faults.flatMap(({ name }) => rowNamed(name) ?? []);
  const table = [BEGIN, ...HEAD, ...body, ''].join('\n');
  return page.slice(0, begin) + table + page.slice(end);
}

export const headLines = (): string => HEAD.join('\n');
