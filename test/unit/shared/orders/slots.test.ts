import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  freeSlotMs,
  NO_SLOTS,
  type SlotLimits,
  type SlotState,
  slotLimits,
  withSlot,
} from '#shared/orders/slots.ts';
import { DAY, NOW_MS } from './tasks.ts';

/** Takes a slot for each arrival; gives the slots' times. */
function slotsFor(arrivalsMs: readonly number[], limits: SlotLimits): number[] {
  let state: SlotState = NO_SLOTS;
  return arrivalsMs.flatMap((wallMs) => {
    const slotMs = freeSlotMs(state, limits, wallMs, DAY);
    if (slotMs === undefined) return [];
    state = withSlot(state, limits, slotMs, DAY);
    return [slotMs];
  });
}

const mostIn = (timesMs: readonly number[], windowMs: number) =>
  Math.max(
    ...timesMs.map((start) => timesMs.filter((time) => time >= start && time < start + windowMs).length),
  );

describe('slots', () => {
  it('never let more out in any sliding second or minute, however orders arrive and however late each is sent', () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 });
    const limits = slotLimits(0.1, 250);
    fc.assert(
      fc.property(arrivals, fc.infiniteStream(fc.integer({ min: 0, max: 250 })), (gaps, lateness) => {
        let nowMs = NOW_MS;
        const arrivalsMs = gaps.map((gap) => (nowMs += gap));
        const late = lateness[Symbol.iterator]();
        const sentMs = slotsFor(arrivalsMs, limits)
          .map((slotMs) => slotMs + late.next().value)
          .sort((a, b) => a - b);
        expect(sentMs).toHaveLength(gaps.length);
        expect(mostIn(sentMs, 1_000)).toBeLessThanOrEqual(9);
        expect(mostIn(sentMs, 60_000)).toBeLessThanOrEqual(360);
      }),
      { seed: 12, numRuns: 200 },
    );
  });

  it('hold the minute: the 361st of a burst waits for the first to be a minute old', () => {
    const limits = slotLimits(0.1, 250);
    const slotsMs = slotsFor(
      Array.from({ length: 400 }, () => NOW_MS),
      limits,
    );
    expect(slotsMs[360]! - slotsMs[0]!).toBeGreaterThanOrEqual(60_250);
  });

  it('are at once for whoever is alone', () => {
    const limits = slotLimits(0, 250);
    const arrivals = Array.from({ length: 20 }, (_, index) => NOW_MS + index * 200);
    expect(slotsFor(arrivals, limits)).toEqual(arrivals);
  });

  it("end with the day's limit and begin again the next day", () => {
    const limits = slotLimits(0.1, 250);
    const full: SlotState = { day: DAY, today: 4_500, times: [] };
    expect(freeSlotMs(full, limits, NOW_MS, DAY)).toBeUndefined();
    expect(freeSlotMs(full, limits, NOW_MS, '2026-08-19')).toBe(NOW_MS);
    expect(withSlot(full, limits, NOW_MS, '2026-08-19').today).toBe(1);
  });

  it('keep the margin asked for, and at least one', () => {
    expect(slotLimits(0, 0)).toMatchObject({ perSecond: 10, perMinute: 400, perDay: 5_000 });
    expect(slotLimits(0.25, 0)).toMatchObject({ perSecond: 7, perMinute: 300, perDay: 3_750 });
    expect(slotLimits(0.99, 0).perSecond).toBe(1);
  });

  it('forget what is older than the widest window', () => {
    const limits = slotLimits(0, 250);
    const arrivals = Array.from({ length: 2_000 }, (_, index) => NOW_MS + index * 500);
    let state: SlotState = NO_SLOTS;
    for (const ms of arrivals) state = withSlot(state, limits, ms, DAY);
    expect(state.times.length).toBeLessThanOrEqual(122);
    expect(state.today).toBe(2_000);
  });
});
