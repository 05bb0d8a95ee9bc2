import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '#streamer/feed/connection-contract.ts';
import { feedView } from '#streamer/report/feed-view.ts';

const view = (subscriptions: number, unplaced: number, ...links: [ConnectionState, number][]) =>
  feedView({
    subscriptions,
    feed: { pool: { unplaced, connections: links.map(([state, size]) => ({ state, size })) } },
  });

describe('the feed of an account', () => {
  it('is whole while every link is open and every instrument placed', () => {
    expect(view(20, 0, ['open', 10], ['open', 10])).toEqual({
      subscriptions: 20,
      unplaced: 0,
      hasOpenLink: true,
    });
  });

  it('misses what has no room and what waits on a link that is not open', () => {
    expect(view(25, 5, ['open', 10], ['waiting', 10])).toEqual({
      subscriptions: 25,
      unplaced: 15,
      hasOpenLink: true,
    });
  });

  it('misses no more than was claimed, though its links carry more', () => {
    expect(view(10, 0, ['connecting', 11])).toEqual({ subscriptions: 10, unplaced: 10, hasOpenLink: false });
  });

  it('of an account without any link is away', () => {
    expect(view(0, 0).hasOpenLink).toBe(false);
  });
});
