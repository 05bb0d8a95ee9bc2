import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  expiryMs,
  isTrading,
  isTradingDay,
  istDateTime,
  istDay,
  istMs,
  knowsHolidays,
  MARKET_STATES,
  marketState,
  nextStateMs,
  nextTradingDay,
  previousTradingDay,
  tradingHours,
} from '#shared/market/calendar.ts';
import { HOLIDAYS, HOLIDAYS_KNOWN_UNTIL_YEAR } from '#shared/market/holidays.ts';

const anyDay = fc.integer({ min: 0, max: 3_000 }).map((days) => addDays('2022-01-01', days));

describe('the trading calendar', () => {
  it('turns Indian days and times into epoch milliseconds and back', () => {
    expect(istMs('2026-08-18', '09:15')).toBe(Date.UTC(2026, 7, 18, 3, 45));
    expect(istDateTime(Date.UTC(2026, 7, 18, 3, 45, 7))).toBe('2026-08-18 09:15:07');
    expect(istDay(Date.UTC(2026, 7, 17, 18, 30))).toBe('2026-08-18');
  });

  it('knows the holidays of the years that it was told of, and that it knows no later ones', () => {
    expect([...HOLIDAYS].some((day) => day.startsWith(`${HOLIDAYS_KNOWN_UNTIL_YEAR}-`))).toBe(true);
    expect(knowsHolidays(`${HOLIDAYS_KNOWN_UNTIL_YEAR}-12-31`)).toBe(true);
    expect(knowsHolidays(`${HOLIDAYS_KNOWN_UNTIL_YEAR + 1}-01-01`)).toBe(false);
    for (const day of HOLIDAYS) expect(knowsHolidays(day)).toBe(true);
  });

  it('closes derivatives at 15:30 until 2 Aug 2026 and at 15:40 since', () => {
    expect(expiryMs('2026-07-28')).toBe(istMs('2026-07-28', '15:30'));
    expect(expiryMs('2026-08-04')).toBe(istMs('2026-08-04', '15:40'));
    expect(tradingHours('2026-08-18', 'cash')?.closeMs).toBe(istMs('2026-08-18', '15:35'));
  });

  it('knows weekends and holidays', () => {
    expect(isTradingDay('2026-11-21')).toBe(false);
    expect(isTradingDay('2026-11-24')).toBe(false);
    expect(isTradingDay('2026-11-23')).toBe(true);
    expect(tradingHours('2026-12-25', 'derivatives')).toBeUndefined();
  });

  it.each([
    ['08:59', 'closed'],
    ['09:00', 'pre_open'],
    ['09:15', 'open'],
    ['15:09', 'open'],
    ['15:10', 'closing'],
    ['15:39', 'closing'],
    ['15:40', 'closed'],
  ] as const)('has derivatives at %s in state %s on a trading day', (time, state) => {
    expect(marketState(istMs('2026-08-18', time), 'derivatives')).toBe(state);
  });

  it.each([
    ['2026-07-31', 'cash', '15:00', '15:30'],
    ['2026-07-31', 'derivatives', '15:00', '15:30'],
    ['2026-08-03', 'cash', '15:15', '15:35'],
    ['2026-08-03', 'derivatives', '15:10', '15:40'],
  ] as const)('on %s finds the closing price in %s from %s to %s', (day, segment, from, to) => {
    expect(marketState(istMs(day, from) - 1, segment)).toBe('open');
    expect(marketState(istMs(day, from), segment)).toBe('closing');
    expect(marketState(istMs(day, to) - 1, segment)).toBe('closing');
    expect(marketState(istMs(day, to), segment)).toBe('closed');
  });

  it('trades while it is open or closing', () => {
    expect(MARKET_STATES.filter(isTrading)).toEqual(['open', 'closing']);
  });

  it.each([
    ['2026-08-18', '15:45', '2026-08-19', '09:00'],
    ['2026-08-21', '15:45', '2026-08-22', '00:00'],
    ['2026-08-22', '11:00', '2026-08-24', '00:00'],
  ])('turns next, seen from %s %s, at %s %s', (day, time, nextDay, nextTime) => {
    expect(nextStateMs(istMs(day, time), 'derivatives')).toBe(istMs(nextDay, nextTime));
  });

  it('keeps its state until the turn that it names, and has another one from then on', () => {
    const anySegment = fc.constantFrom('cash' as const, 'derivatives' as const);
    const anyMs = fc.integer({ min: istMs('2025-06-01', '00:00'), max: istMs('2027-06-01', '00:00') });
    fc.assert(
      fc.property(anyMs, anySegment, fc.double({ min: 0, max: 1, noNaN: true }), (ms, segment, part) => {
        const turnMs = nextStateMs(ms, segment);
        const between = Math.min(turnMs - 1, ms + Math.floor(part * (turnMs - ms)));
        expect(marketState(between, segment)).toBe(marketState(ms, segment));
        expect(marketState(turnMs, segment)).not.toBe(marketState(ms, segment));
      }),
    );
  });

  it('is in holiday on a holiday, at any hour', () => {
    expect(marketState(istMs('2026-10-02', '11:00'), 'cash')).toBe('holiday');
  });

  it('steps from any day to trading days on either side, with none between', () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const next = nextTradingDay(day);
        expect(next > day && isTradingDay(next)).toBe(true);
        for (let between = addDays(day, 1); between < next; between = addDays(between, 1)) {
          expect(isTradingDay(between)).toBe(false);
        }
        expect(previousTradingDay(next) <= day || !isTradingDay(day)).toBe(true);
      }),
    );
  });

  it('gives every trading day hours in the order pre-open, open, closing, close', () => {
    fc.assert(
      fc.property(anyDay.filter(isTradingDay), fc.constantFrom('cash', 'derivatives'), (day, segment) => {
        const hours = tradingHours(day, segment as 'cash' | 'derivatives')!;
        expect(Object.values(hours).every((ms, index, all) => index === 0 || all[index - 1]! < ms)).toBe(
          true,
        );
        expect(istDay(hours.openMs)).toBe(day);
      }),
    );
  });
});
