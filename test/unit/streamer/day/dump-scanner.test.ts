import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { DumpScanner } from '#streamer/day/dump-scanner.ts';
import { symbolHash } from '#streamer/day/symbol-hash.ts';
import { instrumentRow } from '#test/support/frames.ts';

/** Every row as `token a b`, the dump given in pieces of so many bytes. */
function scan(csv: string, pieceBytes: number): string[] {
  const found: string[] = [];
  const scanner = new DumpScanner((token, { a, b }) => found.push(`${token} ${a >>> 0} ${b >>> 0}`));
  const bytes = Buffer.from(csv);
  for (let at = 0; at < bytes.length; at += pieceBytes) scanner.push(bytes.subarray(at, at + pieceBytes));
  scanner.end();
  expect(scanner.rows).toBe(found.length);
  return found;
}

function expected(row: { instrument_token: number; tradingsymbol: string; exchange: string }): string {
  const { a, b } = symbolHash(row);
  return `${row.instrument_token} ${a >>> 0} ${b >>> 0}`;
}

const anyRow = fc
  .record({
    instrument_token: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    tradingsymbol: fc.stringMatching(/^[A-Z0-9& -]{1,24}$/),
    name: fc.stringMatching(/^[A-Za-z0-9&,. \n-]{0,24}$/),
    exchange: fc.constantFrom('NSE', 'NFO', 'BFO'),
  })
  .map(instrumentRow);

describe('a scan of a dump', () => {
  it('finds what each token names, in whatever pieces the bytes come', () => {
    fc.assert(
      fc.property(
        fc.array(anyRow, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 400 }),
        (rows, pieceBytes) => {
          expect(scan(formatInstrumentsCsv(rows), pieceBytes)).toEqual(rows.map(expected));
        },
      ),
      { seed: 7 },
    );
  });

  it('takes a dump with other line ends, and without the last', () => {
    const row = instrumentRow({ instrument_token: 513, tradingsymbol: 'M&M' });
    const csv = formatInstrumentsCsv([row]).replaceAll('\n', '\r\n');
    expect(scan(csv, 3)).toEqual([expected(row)]);
    expect(scan(csv.trimEnd(), 7)).toEqual([expected(row)]);
  });

  it.each([
    ['', 'no rows'],
    ['<html>busy</html>', 'no rows'],
    [`<html>${'busy '.repeat(100)}</html>`, 'expected the columns'],
    ['token,symbol\n1,A\n', 'expected the columns'],
    [`${formatInstrumentsCsv([])}1,2,A\n`, 'row 2'],
    [`${formatInstrumentsCsv([])}x1,2,A,"",0,,0,0,0,EQ,NSE,NSE\n`, 'row 2'],
    [`${formatInstrumentsCsv([])}0,2,A,"",0,,0,0,0,EQ,NSE,NSE\n`, 'row 2'],
  ])('refuses %j', (csv, message) => {
    expect(() => scan(csv, 16)).toThrow(message);
  });
});
