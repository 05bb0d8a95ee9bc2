import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symbolHash } from '#streamer/day/symbol-hash.ts';
import { TokenIndex } from '#streamer/day/token-index.ts';

const row = (instrument_token: number, tradingsymbol: string, exchange = 'NFO') => ({
  instrument_token,
  tradingsymbol,
  exchange,
});

function indexOf(rows: readonly ReturnType<typeof row>[]): TokenIndex {
  const index = new TokenIndex(rows.length);
  for (const each of rows) index.add(each.instrument_token, symbolHash(each));
  return index;
}

describe('a token index', () => {
  it('knows the same name, another one, and none', () => {
    const index = indexOf([row(513, 'A'), row(769, 'B')]);
    expect(index.look(row(513, 'A'))).toBe('same');
    expect(index.look(row(513, 'B'))).toBe('other');
    expect(index.look(row(513, 'A', 'BFO'))).toBe('other');
    expect(index.look(row(1_025, 'A'))).toBe('none');
  });

  it('has none of anything while it is empty', () => {
    expect(indexOf([]).look(row(513, 'A'))).toBe('none');
  });

  it('agrees with a map, whatever is in it', () => {
    const anyToken = fc.integer({ min: 1, max: 2 ** 32 - 1 });
    const anyRow = fc.tuple(anyToken, fc.stringMatching(/^[A-Z0-9]{1,20}$/)).map(([t, s]) => row(t, s));
    fc.assert(
      fc.property(
        fc.array(anyRow, { maxLength: 300 }),
        fc.array(anyRow, { maxLength: 20 }),
        (rows, others) => {
          const index = indexOf(rows);
          const names = new Map(rows.map((each) => [each.instrument_token, each.tradingsymbol]));
          for (const each of [...rows, ...others]) {
            const name = names.get(each.instrument_token);
            const naming = name === undefined ? 'none' : name === each.tradingsymbol ? 'same' : 'other';
            expect(index.look(each)).toBe(naming);
          }
        },
      ),
      { seed: 11 },
    );
  });

  it('tells a day of 100,000 symbols apart from the same tokens under the next names', () => {
    const names = Array.from({ length: 100_001 }, (_, n) => `NIFTY26${n}CE`);
    const rows = names.slice(0, -1).map((name, n) => row((n + 1) * 256 + 2, name));
    const index = indexOf(rows);
    expect(rows.every((each) => index.look(each) === 'same')).toBe(true);
    const recycled = rows.map(({ instrument_token }, n) => row(instrument_token, names[n + 1]!));
    expect(recycled.every((each) => index.look(each) === 'other')).toBe(true);
  });
});
