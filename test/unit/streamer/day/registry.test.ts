import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { formatInstrumentsCsv, parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { type Dump, DumpRegistry } from '#streamer/day/registry.ts';
import { longestTurnMs } from '#test/support/longest-turn.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

const DATA = process.env.TICKER_DATA_DIR ?? '../shared/data';
const DUMPS = ['kite-instruments-nfo-bfo-2026-08-18.csv.gz', 'kite-instruments-nse-2026-03-14.csv.gz'].map(
  (name) => join(DATA, name),
);

function dumpOf(csv: string, count: number, prefix = 'one'): Dump {
  const packed = gzipSync(csv);
  const pointer = {
    day: '2026-08-18',
    version: prefix,
    prefix,
    count,
    refreshed_at: '2026-08-18T03:00:00.000Z',
  };
  return { pointer, open: async () => Readable.from([packed]).pipe(createGunzip()) };
}

const A = anInstrument({ instrument_token: 513, tradingsymbol: 'A' });
const B = anInstrument({ instrument_token: 513, tradingsymbol: 'B' });

describe('the registry', () => {
  it('knows nothing while there is no dump', async () => {
    const registry = new DumpRegistry(async () => undefined);
    await registry.look();
    expect([registry.index, registry.pointer, registry.loads]).toEqual([undefined, undefined, 0]);
  });

  it('reads each dump once, and the next one as soon as it is in force', async () => {
    let dump = dumpOf(formatInstrumentsCsv([A]), 1);
    const registry = new DumpRegistry(async () => dump);
    await registry.look();
    const first = registry.index;
    await registry.look();
    expect(registry.index).toBe(first);
    expect(first?.look(A)).toBe('same');
    dump = dumpOf(formatInstrumentsCsv([B]), 1, 'two');
    await registry.look();
    expect(registry.index?.look(A)).toBe('other');
    expect(registry.index?.look(B)).toBe('same');
    expect(registry.loads).toBe(2);
  });

  it.each([
    ['has fewer rows than its pointer says', formatInstrumentsCsv([A]), 2],
    ['has more rows than its pointer says', formatInstrumentsCsv([A, B]), 1],
    ['is no dump', '<html>busy</html>', 1],
  ])('keeps what it has when the new dump %s, and tries again', async (_name, csv, count) => {
    let dump = dumpOf(formatInstrumentsCsv([A]), 1);
    const registry = new DumpRegistry(async () => dump);
    await registry.look();
    dump = dumpOf(csv, count, 'two');
    await expect(registry.look()).rejects.toThrow();
    expect(registry.index?.look(A)).toBe('same');
    expect(registry.pointer?.prefix).toBe('one');
    await expect(registry.look()).rejects.toThrow();
  });

  it('ends with the error of a dump that breaks off', async () => {
    const whole = dumpOf(formatInstrumentsCsv([A, B]), 2);
    const registry = new DumpRegistry(async () => ({
      ...whole,
      open: async () => {
        const packed = gzipSync(formatInstrumentsCsv([A, B]));
        return Readable.from([packed.subarray(0, packed.length - 12)]).pipe(createGunzip());
      },
    }));
    await expect(registry.look()).rejects.toThrow('unexpected end of file');
  });
});

/** All exchanges of a day; the data has two of them. */
const WHOLE_DUMP_ROWS = 114_000;
const missing = DUMPS.filter((path) => !existsSync(path));
describe.skipIf(missing.length > 0)(
  `a real dump (skipped: ${missing.join(', ') || 'nothing'} missing)`,
  () => {
    const all = () => DUMPS.flatMap((path) => parseInstrumentsCsv(gunzipSync(readFileSync(path)).toString()));

    it('is known row by row, and the dump of the same day twice over is another', async () => {
      const rows = all();
      const registry = new DumpRegistry(async () => dumpOf(formatInstrumentsCsv(rows), rows.length));
      await registry.look();
      const { index } = registry;
      expect(rows.length).toBeGreaterThan(49_000);
      expect(rows.filter((row) => index?.look(row) !== 'same')).toEqual([]);
      const shifted = rows.map((row, n) => ({ ...row, tradingsymbol: rows[n - 1]?.tradingsymbol ?? 'NONE' }));
      expect(shifted.filter((row) => index?.look(row) === 'same')).toEqual([]);
    });

    it('of a day is read without a pause: no turn of the event loop takes a tenth of reading it in one go', async () => {
      const rows = all();
      const day = Array.from({ length: WHOLE_DUMP_ROWS }, (_, n) => ({
        ...rows[n % rows.length]!,
        instrument_token: (n + 1) * 256 + 2,
      }));
      const csv = formatInstrumentsCsv(day);
      const dump = dumpOf(csv, day.length);
      const oneGoMs = await longestTurnMs(async () => {
        await nextTurn();
        expect(parseInstrumentsCsv(csv)).toHaveLength(day.length);
      });
      // The best of five: what earlier tests left to the garbage collector falls into one turn or another.
      const slicedMs: number[] = [];
      for (let time = 0; time < 5; time += 1) {
        const registry = new DumpRegistry(async () => dump);
        slicedMs.push(await longestTurnMs(() => registry.look()));
        expect(registry.index?.look(day.at(-1)!)).toBe('same');
      }
      expect(Math.min(...slicedMs)).toBeLessThan(oneGoMs / 10);
    });
  },
);
