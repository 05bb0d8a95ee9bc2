import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { istMs, marketState } from '#shared/market/calendar.ts';
import { freedomAt, nightEndMs } from '#streamer/after-hours/night.ts';

const LEAD_MS = 60_000;
const at = (day: string, time: string) => nightEndMs(istMs(day, time), LEAD_MS);

describe('the night', () => {
  it.each([
    ['the pre-open', '2026-08-18', '09:00'],
    ['the last minute before it', '2026-08-18', '08:59'],
    ['the session', '2026-08-18', '12:00'],
    ['after cash has closed, while derivatives trade', '2026-08-18', '15:37'],
    ['the last second of derivatives', '2026-08-18', '15:39:59'],
  ])('is not %s', (_what, day, time) => {
    expect(at(day, time)).toBeUndefined();
  });

  it.each([
    ['the close', '2026-08-18', '15:40', '2026-08-19'],
    ['midnight', '2026-08-19', '00:00', '2026-08-19'],
    ['early morning', '2026-08-19', '08:58:59', '2026-08-19'],
    ['Friday night', '2026-08-21', '20:00', '2026-08-24'],
    ['a Saturday', '2026-08-22', '11:00', '2026-08-24'],
    ['a holiday', '2026-09-14', '11:00', '2026-09-15'],
    ['the evening before a holiday that follows a weekend', '2026-09-11', '16:00', '2026-09-15'],
  ])('lasts from %s until a minute before the next pre-open', (_what, day, time, next) => {
    expect(at(day, time)).toBe(istMs(next, '08:59'));
  });

  it('never overlaps a session, and always ends with the lead before one', () => {
    const from = istMs('2026-01-01', '00:00');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 364 * 86_400 }), fc.nat(3_600_000), (second, leadMs) => {
        const nowMs = from + second * 1_000;
        const endMs = nightEndMs(nowMs, leadMs);
        const states = (ms: number) => [marketState(ms, 'cash'), marketState(ms, 'derivatives')];
        const isShut = (ms: number) => states(ms).every((state) => state === 'closed' || state === 'holiday');
        if (endMs === undefined) {
          expect(isShut(nowMs) && isShut(nowMs + leadMs)).toBe(false);
          return;
        }
        expect(isShut(nowMs)).toBe(true);
        expect(endMs).toBeGreaterThan(nowMs);
        expect(states(endMs + leadMs)).toEqual(['pre_open', 'pre_open']);
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });
});

describe('the freedom of synthetic prices', () => {
  it('is whole through the night and ends before the night does', () => {
    expect(freedomAt(0, 600_000, 600_000)).toBe(1);
    expect(freedomAt(270_000, 600_000, 600_000)).toBeCloseTo(0.5, 9);
    expect(freedomAt(540_000, 600_000, 600_000)).toBe(0);
    expect(freedomAt(599_999, 600_000, 600_000)).toBe(0);
    expect(freedomAt(-9e9, 600_000, 600_000)).toBe(1);
  });
});
