import { describe, expect, it } from 'vitest';
import { familyOf, isBelievable } from '#shared/market/dump-belief.ts';
import { anInstrument } from './an-instrument.ts';

describe('a dump', () => {
  it.each([
    [0, 0, true],
    [1, 0, false],
    [1, 3, false],
    [1, 4, true],
    [20, 0, false],
    [20, 79, false],
    [20, 80, true],
    [2_000, 7_000, false],
  ])('that lacks %i beside %i of their like is believed: %s', (missing, listed, believed) => {
    expect(isBelievable(missing, listed)).toBe(believed);
  });
});

describe('of one family', () => {
  const family = (changes: Parameters<typeof anInstrument>[0]) => familyOf(anInstrument(changes));

  it('are options and futures of one underlying and expiry', () => {
    expect(family({ strike: 26_100 })).toBe(family({ segment: 'NFO-FUT', instrument_type: 'FUT' }));
    expect(family({ name: 'BANKNIFTY' })).not.toBe(family({}));
    expect(family({ expiry: '2026-08-25' })).not.toBe(family({}));
    expect(family({ exchange: 'BFO' })).not.toBe(family({}));
  });

  it('are shares of one exchange, and its indices apart from them', () => {
    const share = { expiry: '', exchange: 'NSE', segment: 'NSE' };
    expect(family({ ...share, name: 'INFOSYS' })).toBe(family({ ...share, name: 'TCS' }));
    expect(family({ ...share, segment: 'INDICES' })).not.toBe(family(share));
    expect(family({ ...share, exchange: 'BSE' })).not.toBe(family(share));
  });
});
