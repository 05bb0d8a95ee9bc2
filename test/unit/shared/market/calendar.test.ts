import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  expiryMs,
  isTradingDay,
  istDateTime,
  istDay,
  istMs,
  marketState,
  nextTradingDay,
  previousTradingDay,
  tradingHours,
} from '#shared/market/calendar.ts';

const anyDay = fc.integer({ min: 0, max: 3_000 }).map((days) => addDays('2022-01-01', days));

describe('the trading calendar', () => {
  it('turns Indian days and times into epoch milliseconds and back', () => {
    expect(istMs('2026-08-18', '09:15')).toBe(Date.UTC(2026, 7, 18, 3, 45));
    expect(istDateTime(Date.UTC(2026, 7, 18, 3, 45, 7))).toBe('2026-08-18 09:15:07');
    expect(istDay(Date.UTC(2026, 7, 17, 18, 30))).toBe('2026-08-18');
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
    ['15:39', 'open'],
    ['15:40', 'closed'],
  ] as const)('has derivatives at %s in state %s on a trading day', (time, state) => {
    expect(marketState(istMs('2026-08-18', time), 'derivatives')).toBe(state);
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

  it('gives every trading day hours in the order pre-open, open, close', () => {
    fc.assert(
      fc.property(anyDay.filter(isTradingDay), fc.constantFrom('cash', 'derivatives'), (day, segment) => {
        const hours = tradingHours(day, segment as 'cash' | 'derivatives')!;
        expect(hours.preOpenMs < hours.openMs && hours.openMs < hours.closeMs).toBe(true);
        expect(istDay(hours.openMs)).toBe(day);
      }),
    );
  });
});
