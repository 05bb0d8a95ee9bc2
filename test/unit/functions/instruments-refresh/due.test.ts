import { describe, expect, it } from 'vitest';
import { isDue } from '#functions/instruments-refresh/due.ts';
import { istMs } from '#shared/market/calendar.ts';

function inForce(fetched: string) {
  const [day = '', time = ''] = fetched.split(' ');
  return { day, refreshed_at: new Date(istMs(day, time)).toISOString() };
}

describe("the day's dump is fetched", () => {
  it.each([
    ['in the night before', '2026-08-18', '02:00', '2026-08-17 08:35', false],
    ['before the broker has it', '2026-08-18', '08:29', '2026-08-17 08:35', false],
    ['in the morning', '2026-08-18', '08:30', '2026-08-17 08:35', true],
    ['where it is there', '2026-08-18', '08:35', '2026-08-18 08:30', false],
    ['where it was fetched too early', '2026-08-18', '08:30', '2026-08-18 07:00', true],
    ['where there is none at all', '2026-08-18', '08:30', undefined, true],
    ['as long as it would be of use', '2026-08-18', '15:39', '2026-08-17 08:35', true],
    ['after the close', '2026-08-18', '15:40', '2026-08-17 08:35', false],
    ['on a Saturday', '2026-08-22', '10:00', '2026-08-21 08:35', false],
    ['on a holiday', '2026-10-02', '10:00', undefined, false],
  ] as const)('%s: %s %s, after one of %s: %s', (_name, day, time, fetched, due) => {
    expect(isDue(fetched === undefined ? undefined : inForce(fetched), istMs(day, time))).toBe(due);
  });

  it("once more where what came is an older day's", () => {
    const nowMs = istMs('2026-08-18', '08:40');
    expect(isDue({ ...inForce('2026-08-18 08:35'), day: '2026-08-17' }, nowMs)).toBe(true);
  });
});
