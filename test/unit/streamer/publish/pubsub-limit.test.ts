import { describe, expect, it } from 'vitest';
import { pubsubLimitProblem } from '#streamer/publish/pubsub-limit.ts';

describe("Redis's buffer limit for subscribers", () => {
  it('is a problem at its default', () => {
    const text = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60';
    expect(pubsubLimitProblem(text)).toContain('256mb 64mb 60');
  });

  it('is none when it is as docs/streamer.md asks, unlimited, or not told', () => {
    expect(pubsubLimitProblem('normal 0 0 0 pubsub 268435456 67108864 60')).toBeUndefined();
    expect(pubsubLimitProblem('pubsub 0 0 0')).toBeUndefined();
    expect(pubsubLimitProblem('')).toBeUndefined();
  });
});
