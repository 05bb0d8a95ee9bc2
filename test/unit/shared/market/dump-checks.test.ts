import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DumpShrunkError, dumpDay, refuseShrunken, sizeOf } from '#shared/market/dump-checks.ts';
import { anInstrument } from './an-instrument.ts';

const TODAY = '2026-08-20';

function rows(count: number, changes: Parameters<typeof anInstrument>[0] = {}) {
  return Array.from({ length: count }, (_, n) => anInstrument({ tradingsymbol: `S${n}`, ...changes }));
}

const share = { segment: 'NSE', exchange: 'NSE', expiry: '' };
const currency = { segment: 'BCD-OPT', exchange: 'BCD' };
const FULL = sizeOf([...rows(3_000), ...rows(600, share), ...rows(6, { segment: 'BFO-FUT' })]);

describe('a dump in the place of one with 3,606 rows', () => {
  it.each([
    ['that is a header alone', [], 'no rows at all'],
    ['without its shares', rows(3_600), '0 rows of 600 in NSE'],
    ['with a third of its options', [...rows(1_000), ...rows(600, share)], '1000 rows of 3000 in NFO-OPT'],
    ['with a hundred rows of all', rows(100, { segment: 'OTHER' }), '100 rows of 3606'],
  ])('%s is refused, and it is said why', (_name, next, reason) => {
    const refused = () => refuseShrunken(sizeOf(next), FULL);
    expect(refused).toThrow(DumpShrunkError);
    expect(refused).toThrow(reason);
  });

  it.each([
    ['with half of its options expired', [...rows(1_500), ...rows(600, share)]],
    ['without a segment of six contracts', [...rows(3_000), ...rows(600, share)]],
  ])('%s is taken', (_name, next) => {
    expect(() => refuseShrunken(sizeOf(next), FULL)).not.toThrow();
  });

  it.each(['BCD-OPT', 'CDS-OPT', 'NCO-OPT', 'MCX-OPT'])(
    'is taken without %s, where nothing streams',
    (segment) => {
      const before = sizeOf([...rows(3_000), ...rows(1_500, { segment })]);
      expect(() => refuseShrunken(sizeOf(rows(3_000)), before)).not.toThrow();
      expect(() => refuseShrunken(sizeOf(rows(2_249)), before)).toThrow('2249 rows of 4500');
    },
  );

  it.each(['NSE', 'BSE', 'INDICES', 'NFO-FUT', 'NFO-OPT', 'BFO-FUT', 'BFO-OPT'])(
    'is refused without %s',
    (segment) => {
      const others = rows(3_000, currency);
      const before = sizeOf([...others, ...rows(100, { segment })]);
      expect(() => refuseShrunken(sizeOf(others), before)).toThrow(`0 rows of 100 in ${segment}`);
    },
  );

  it('is compared as a whole where its segments were never counted', () => {
    expect(() => refuseShrunken(sizeOf(rows(1_802)), { count: FULL.count })).toThrow(DumpShrunkError);
    expect(() => refuseShrunken(sizeOf(rows(1_803)), { count: FULL.count })).not.toThrow();
  });
});

it('the first dump ever is taken whatever its size, but for none', () => {
  expect(() => refuseShrunken(sizeOf(rows(1)), undefined)).not.toThrow();
  expect(() => refuseShrunken(sizeOf([]), undefined)).toThrow(DumpShrunkError);
});

it('a dump is always taken in the place of itself, unless it is empty', () => {
  const anySegment = fc.constantFrom('NFO-OPT', 'NFO-FUT', 'NSE', 'INDICES');
  fc.assert(
    fc.property(fc.array(anySegment, { minLength: 1, maxLength: 400 }), (segments) => {
      const size = sizeOf(segments.map((segment) => anInstrument({ segment })));
      expect(() => refuseShrunken(size, size)).not.toThrow();
    }),
    { seed: 5 },
  );
});

describe('the day of a dump', () => {
  const later = rows(5_000, { expiry: '2026-08-25' });

  it('is the day it was fetched on while everything in it lives', () => {
    expect(dumpDay(later, TODAY)).toBe(TODAY);
    expect(dumpDay([...later, ...rows(300, { expiry: TODAY })], TODAY)).toBe(TODAY);
  });

  it('is the first expiry in it that is over', () => {
    const [tuesday, monday] = [rows(200, { expiry: '2026-08-18' }), rows(200, { expiry: '2026-08-17' })];
    expect(dumpDay([...later, ...tuesday], TODAY)).toBe('2026-08-18');
    expect(dumpDay([...later, ...tuesday, ...monday], TODAY)).toBe('2026-08-17');
  });

  it.each([
    ['one old row', rows(1, { expiry: '2026-08-14' })],
    ['one old row of each day of a month', old(30)],
    [
      'old rows of an exchange whose hours are not known',
      rows(300, { exchange: 'CDS', expiry: '2026-08-14' }),
    ],
  ])('is not made an older one by %s', (_name, few) => {
    expect(dumpDay([...later, ...few], TODAY)).toBe(TODAY);
  });
});

function old(days: number) {
  return Array.from({ length: days }, (_, n) =>
    anInstrument({ expiry: `2026-07-${String(n + 1).padStart(2, '0')}` }),
  );
}
