import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, isTradingDay, weekday } from '#shared/market/calendar.ts';
import { type ExpiryRule, listedExpiries, symbolDate } from '#simulator/engine/expiries.ts';

const NIFTY: ExpiryRule = { weekday: 2, weeklies: 4, monthlies: 3 };
const SENSEX: ExpiryRule = { weekday: 4, weeklies: 4, monthlies: 3 };
const days = (day: string, rule: ExpiryRule) => listedExpiries(day, rule).map((expiry) => expiry.day);

describe('listed expiries', () => {
  it('are those of the NIFTY dump of 18 Aug 2026, as far as they go', () => {
    expect(days('2026-08-18', NIFTY)).toEqual([
      '2026-08-18',
      '2026-08-25',
      '2026-09-01',
      '2026-09-08',
      '2026-09-15',
      '2026-09-29',
      '2026-10-27',
    ]);
  });

  it('of SENSEX fall on Thursdays, its monthlies on the last', () => {
    expect(days('2026-08-18', SENSEX)).toEqual([
      '2026-08-20',
      '2026-08-27',
      '2026-09-03',
      '2026-09-10',
      '2026-09-17',
      '2026-09-24',
      '2026-10-29',
    ]);
  });

  it('move to the trading day before a holiday', () => {
    expect(days('2026-11-18', NIFTY)[0]).toBe('2026-11-23');
    expect(days('2026-11-09', NIFTY)[0]).toBe('2026-11-09');
    expect(days('2026-11-10', NIFTY)[0]).toBe('2026-11-17');
  });

  it('are spelled as Kite spells them', () => {
    const [weekly, monthly] = listedExpiries('2026-08-18', NIFTY);
    expect(symbolDate(weekly!)).toBe('26818');
    expect(symbolDate(monthly!)).toBe('26AUG');
    const october = listedExpiries('2026-10-01', NIFTY).find((expiry) => !expiry.monthly);
    expect(symbolDate(october!)).toBe('26O06');
  });

  it('are trading days, in order, of the right number, and serials count without holes', () => {
    const day = fc.integer({ min: 0, max: 720 }).map((offset) => addDays('2025-09-05', offset));
    fc.assert(
      fc.property(day, fc.constantFrom(NIFTY, SENSEX), (today, rule) => {
        const listed = listedExpiries(today, rule);
        expect(listed.length).toBe(7);
        for (const [i, expiry] of listed.entries()) {
          expect(expiry.day >= today && isTradingDay(expiry.day)).toBe(true);
          expect(weekday(expiry.nominal)).toBe(rule.weekday);
          expect(expiry.monthly).toBe(addDays(expiry.nominal, 7).slice(0, 7) !== expiry.nominal.slice(0, 7));
          if (i > 0) expect(expiry.day > listed[i - 1]!.day).toBe(true);
        }
        for (const monthly of [true, false]) {
          const serials = listed.filter((expiry) => expiry.monthly === monthly).map(({ serial }) => serial);
          expect(serials).toEqual(serials.map((_, i) => serials[0]! + i));
        }
      }),
      { seed: 1 },
    );
  });
});
