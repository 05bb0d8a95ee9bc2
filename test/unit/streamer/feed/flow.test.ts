import { describe, expect, it } from 'vitest';
import { FlowMeter } from '#streamer/feed/flow.ts';
import { Movement, Questions, stallVerdict } from '#streamer/feed/stall.ts';

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

  it('is none where all rest and where others have just begun to move', () => {
    expect(verdict(15_000, undefined)).toBe('flowing');
    expect(verdict(59_000, 4_999)).toBe('flowing');
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

  it('cannot be told either where there was no flow in the window, however others move', () => {
    expect(verdict(60_001, 60_001)).toBe('alone');
    expect(verdict(8 * 3_600_000, undefined)).toBe('alone');
    const suspect = { isSuspect: true };
    expect(stallVerdict(flow, 60_001, nowMs + 60_001, SETTINGS, suspect)).toBe('stalled');
    expect(stallVerdict(flow, 60_001, nowMs + 60_001, { ...SETTINGS, aloneAfterMs: 0 })).toBe('flowing');
  });

  it('is not looked for in the silence before the market opens', () => {
    const opensMs = nowMs + 4_500_000;
    const before = { closedMs: opensMs };
    expect(stallVerdict(flow, undefined, opensMs + 29_999, SETTINGS, before)).toBe('flowing');
    expect(stallVerdict(flow, undefined, opensMs + 30_000, SETTINGS, before)).toBe('alone');
    expect(stallVerdict(flow, 14_999, opensMs + 14_999, SETTINGS, before)).toBe('flowing');
    expect(stallVerdict(flow, 15_000, opensMs + 15_000, SETTINGS, before)).toBe('alone');
  });

  it('is not what an illiquid link does', () => {
    const rare = flowing(5_000, 300_000);
    const at = rare.nowMs + 40_000;
    expect(stallVerdict(rare.flow, 40_000, at, SETTINGS)).toBe('flowing');
  });
});

describe('the question about a silence', () => {
  const settings = { flowWindowMs: WINDOW_MS };
  const silence = { startedMs: 1_000, lastMs: 5_000 };
  /** Minutes after the first question at which it is asked again, within half an hour. */
  const askedAtMin = (questions: Questions, flow: typeof silence) => {
    const asked: number[] = [];
    for (let minute = 0; minute <= 30; minute += 1) {
      const nowMs = 100_000 + minute * WINDOW_MS;
      if (!questions.isDue(flow, nowMs)) continue;
      questions.asked(flow, nowMs, settings);
      asked.push(minute);
    }
    return asked;
  };

  it.each([silence, { ...silence, lastMs: 0 }])(
    'is asked ever more rarely for as long as it lasts',
    (flow) => {
      expect(askedAtMin(new Questions(), flow)).toEqual([0, 1, 3, 7, 11, 15, 19, 23, 27]);
    },
  );

  it('is asked at once of another silence, and when whom it was put to did not come about', () => {
    const questions = new Questions();
    questions.asked(silence, 100_000, settings);
    expect(questions.isDue(silence, 100_001)).toBe(false);
    expect(questions.isDue({ ...silence, lastMs: 5_001 }, 100_001)).toBe(true);
    questions.failed();
    expect(questions.isDue(silence, 100_001)).toBe(true);
    questions.asked(silence, 100_001, settings);
    expect(questions.isDue(silence, 100_000 + WINDOW_MS)).toBe(false);
    expect(questions.isDue(silence, 100_001 + WINDOW_MS)).toBe(true);
  });
});
