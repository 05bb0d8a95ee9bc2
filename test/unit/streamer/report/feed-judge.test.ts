import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedReason } from '#shared/accounts/types.ts';
import { FeedJudge, type Trouble } from '#streamer/report/feed-judge.ts';
import { NOW_MS } from './an-account.ts';

const SETTINGS = { onAfterMs: 60_000, offAfterMs: 30_000 };
const STEP_MS = 1_000;

/** Looks every second. */
class Story {
  readonly judge: FeedJudge;
  #ms = 0;

  constructor(told?: Trouble) {
    this.judge = new FeedJudge(SETTINGS, told);
    this.judge.observe(undefined, NOW_MS, 0);
  }

  for(seconds: number, reason?: FeedReason): this {
    for (let second = 0; second < seconds; second += 1) {
      this.#ms += STEP_MS;
      this.judge.observe(reason, NOW_MS + this.#ms, this.#ms);
    }
    return this;
  }

  get reason(): FeedReason | undefined {
    return this.judge.trouble?.reason;
  }
}

describe('an account', () => {
  it.each(['session', 'feed', 'capacity'] as const)(
    'that is without its %s for a minute is in trouble',
    (reason) => {
      const story = new Story().for(10).for(60, reason);
      expect(story.reason).toBeUndefined();
      expect(story.for(1, reason).judge.trouble).toEqual({ reason, sinceMs: NOW_MS + 11_000 });
    },
  );

  it('that breaks off for a moment again and again never is', () => {
    const story = new Story();
    for (let round = 0; round < 100; round += 1) expect(story.for(4, 'feed').for(16).reason).toBeUndefined();
  });

  it('that comes back for a moment again and again is', () => {
    const story = new Story();
    for (let round = 0; round < 4; round += 1) story.for(20, 'feed').for(2);
    expect(story.reason).toBe('feed');
  });

  it('is out of it when it was back for half a minute without a break', () => {
    const story = new Story().for(100, 'session');
    for (let round = 0; round < 5; round += 1) expect(story.for(29).for(1, 'feed').reason).toBe('session');
    expect(story.for(29).reason).toBe('session');
    expect(story.for(1).reason).toBeUndefined();
    expect(story.for(59, 'feed').reason).toBeUndefined();
  });

  it('keeps the reason that it has while it is away, whatever else goes wrong', () => {
    const story = new Story().for(100, 'session').for(100, 'feed');
    expect(story.reason).toBe('session');
    expect(story.for(30, 'capacity').reason).toBe('capacity');
    expect(story.for(30).reason).toBeUndefined();
  });

  it('that is away as a whole after a part was missing is in worse trouble, from then on', () => {
    const story = new Story().for(100, 'capacity');
    expect(story.for(60, 'feed').reason).toBe('capacity');
    expect(story.for(1, 'feed').judge.trouble).toEqual({ reason: 'feed', sinceMs: NOW_MS + 101_000 });
  });

  it('that was reported by another streamer is in trouble at once, and out of it when it was back for a while', () => {
    const story = new Story({ reason: 'feed', sinceMs: NOW_MS - 1 });
    expect(story.for(29).judge.trouble).toEqual({ reason: 'feed', sinceMs: NOW_MS - 1 });
    expect(story.for(1).reason).toBeUndefined();
  });

  it('is not judged by the time that its process slept', () => {
    const judge = new FeedJudge(SETTINGS, undefined);
    judge.observe('feed', NOW_MS, 0);
    judge.observe('feed', NOW_MS, 1_000);
    judge.observe('feed', NOW_MS, 900_000);
    expect(judge.trouble).toBeUndefined();
  });

  it('never turns faster than the time it must be back', () => {
    const looks = fc.array(
      fc.constantFrom<(FeedReason | undefined)[]>(undefined, undefined, 'feed', 'session'),
      {
        minLength: 200,
        maxLength: 600,
      },
    );
    fc.assert(
      fc.property(looks, (reasons) => {
        const story = new Story();
        let isOn = false;
        let since = -1_000;
        reasons.forEach((reason, second) => {
          const now = story.for(1, reason).reason !== undefined;
          if (now === isOn) return;
          expect(second - since).toBeGreaterThanOrEqual(30);
          [isOn, since] = [now, second];
        });
      }),
      { seed: 6, numRuns: 50 },
    );
  });
});
