import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../../bench/faults/fault.ts';
import type { Run } from '../../../../bench/faults/measure.ts';
import { rowOf, withRows } from '../../../../bench/faults/table.ts';

const fault = (name: string): Fault => ({ name, seen: 'a pause', known: 'health', run: async () => [] });
const run = (changes: Partial<Run>): Run => ({
  gapMs: 0,
  othersGapMs: 0,
  missing: 0,
  othersMissing: 0,
  unexplained: 0,
  late: 0,
  ...changes,
});
const PAGE = `# Page\n\n<!-- faults: made by npm run faults -- --report -->\n<!-- faults: end -->\n\nmore\n`;

describe('the table of faults', () => {
  it('gives the median and the worst gap, and what the others saw in all runs', () => {
    const runs = [
      run({ gapMs: 300, missing: 2 }),
      run({ gapMs: 9_960, missing: 7, othersGapMs: 140, othersMissing: 1 }),
      run({ gapMs: 400 }),
    ];
    expect(rowOf(fault('kill -9'), runs)).toBe(
      '| kill -9 | a pause | 0.4 s | 10.0 s | 7 | 1 ticks missing, at most 0.1 s late | 3 | health |',
    );
  });

  it('names no gap where nobody is concerned, and no others where all are', () => {
    const row = rowOf(fault('gone'), [run({ gapMs: undefined, othersGapMs: undefined })]);
    expect(row).toBe('| gone | a pause | - | - | - | - | 1 | health |');
  });

  it('replaces the rows that were measured and keeps the others, in the order of the faults', () => {
    const faults = [fault('a'), fault('b'), fault('c')];
    const first = withRows(
      PAGE,
      faults,
      new Map([
        ['c', '| c | 1 |'],
        ['b', '| b | 1 |'],
      ]),
    );
    const second = withRows(first, faults, new Map([['b', '| b | 2 |']]));
    expect(second.split('\n').filter((line) => /^\| [abc] /.test(line))).toEqual(['| b | 2 |', '| c | 1 |']);
    expect(second.startsWith('# Page\n\n<!--')).toBe(true);
    expect(second.endsWith('<!-- faults: end -->\n\nmore\n')).toBe(true);
  });

  it('refuses a page without a place for it', () => {
    expect(() => withRows('# Page', [], new Map())).toThrow('no place');
  });
});
