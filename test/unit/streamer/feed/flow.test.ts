import { describe, expect, it } from 'vitest';
import { FlowMeter } from '#streamer/feed/flow.ts';
import { Movement, stallVerdict } from '#streamer/feed/stall.ts';

const WINDOW_MS = 60_000;
const SETTINGS = { afterMs: 15_000, flowWindowMs: WINDOW_MS, quietGaps: 10, aloneAfterMs: 30_000 };

function flowing(everyMs: number, forMs: number): { flow: FlowMeter; nowMs: number } {
  const flow = new FlowMeter(WINDOW_MS);
  flow.restart(1_000);
  let nowMs = 1_000;
  while (nowMs < 1_000 + forMs) {
    nowMs += everyMs;
    flow.mark(nowMs);
  }
  return { flow, nowMs };
}

describe('the flow of a link', () => {
  it.each([
    [500, 5_000],
    [500, 300_000],
    [2_000, 300_000],
    [20_000, 300_000],
  ])('with a frame every %d ms for %d ms shows that distance', (everyMs, forMs) => {
    const { meanGapMs } = flowing(everyMs, forMs).flow;
    expect(meanGapMs).toBeGreaterThan(everyMs * 0.75);
    expect(meanGapMs).toBeLessThan(everyMs * 1.25);
  });

  it('forgets what lies before the window, and a restart forgets all', () => {
    const { flow, nowMs } = flowing(100, 120_000);
    flow.mark(nowMs + 10 * WINDOW_MS);
    expect(flow.meanGapMs).toBe(WINDOW_MS);
    flow.restart(nowMs);
    expect([flow.lastMs, flow.meanGapMs]).toEqual([0, Number.POSITIVE_INFINITY]);
  });
});

describe('a stall', () => {
  const { flow, nowMs } = flowing(500, 60_000);
  const verdict = (quietMs: number, othersMoveForMs: number | undefined) =>
    stallVerdict(flow, othersMoveForMs, nowMs + quietMs, SETTINGS);

  it('is a silence of the time set while something else moves', () => {
    expect(verdict(14_999, 14_999)).toBe('flowing');
    expect(verdict(15_000, 15_000)).toBe('stalled');
    expect(verdict(60_000, 5_000)).toBe('stalled');
  });

  it('is none where all rest, where others have just begun to move, and where there was no flow in the window', () => {
    expect(verdict(15_000, undefined)).toBe('flowing');
    expect(verdict(59_000, 4_999)).toBe('flowing');
    expect(verdict(60_001, 60_001)).toBe('flowing');
    const fresh = new FlowMeter(WINDOW_MS);
    fresh.restart(nowMs);
    expect(stallVerdict(fresh, 40_000, nowMs + SETTINGS.afterMs - 1, SETTINGS)).toBe('flowing');
    // Without even the first snapshots.
    expect(stallVerdict(fresh, 40_000, nowMs + SETTINGS.afterMs, SETTINGS)).toBe('alone');
  });

  it('others move from their first tick until they have been quiet for a third of that time', () => {
    const movement = new Movement();
    expect(movement.observe(0, 20_000, SETTINGS)).toBeUndefined();
    expect(movement.observe(21_000, 21_000, SETTINGS)).toBe(0);
    expect(movement.observe(24_000, 28_000, SETTINGS)).toBe(7_000);
    expect(movement.observe(24_000, 29_000, SETTINGS)).toBeUndefined();
    expect(movement.observe(30_000, 30_000, SETTINGS)).toBe(0);
    movement.forget();
    expect(movement.observe(31_000, 31_000, SETTINGS)).toBe(0);
  });

  it('cannot be told from a quiet market by a link that knows of no other', () => {
    expect(verdict(29_999, undefined)).toBe('flowing');
    expect(verdict(30_000, undefined)).toBe('alone');
    expect(stallVerdict(flow, undefined, nowMs + 30_000, { ...SETTINGS, aloneAfterMs: 0 })).toBe('flowing');
  });

  it('is not what an illiquid link does', () => {
    const rare = flowing(5_000, 300_000);
    const at = rare.nowMs + 40_000;
    expect(stallVerdict(rare.flow, 40_000, at, SETTINGS)).toBe('flowing');
  });
});
