import { describe, expect, it } from 'vitest';
import { BoardWatch } from '#streamer/control/board-watch.ts';

const TTL_MS = 10_000;
const lease = (renewals: number, holder: string | undefined = 'a') => ({
  accountId: 'primary',
  lease: 3,
  renewals,
  holder,
});
const member = (beats: number) => ({ holder: 'a', beats, isLeaving: false, maxAccounts: 5 });
const board = (renewals: number, beats = renewals) => ({
  leases: [lease(renewals)],
  members: [member(beats)],
});

/** Looks every second of [from, to] at a board that stays as it is. */
function watchStill(watch: BoardWatch, fromMs: number, toMs: number, state = board(1)): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 1_000) watch.look(state, nowMs);
}

describe('watching the board', () => {
  it('a lease and a streamer are dead once they stood still for the whole time', () => {
    const watch = new BoardWatch({ ttlMs: TTL_MS, maxGapMs: 5_000 });
    watchStill(watch, 0, 9_000);
    watch.look(board(1), 9_999);
    expect([watch.isFree(lease(1)), watch.isDead(member(1))]).toEqual([false, false]);
    watch.look(board(1), 10_000);
    expect([watch.isFree(lease(1)), watch.isDead(member(1))]).toEqual([true, true]);
    watch.look(board(2), 10_001);
    expect([watch.isFree(lease(2)), watch.isDead(member(2))]).toEqual([false, false]);
  });

  it('a lease given back is free at once', () => {
    const watch = new BoardWatch({ ttlMs: TTL_MS, maxGapMs: 5_000 });
    const released = { accountId: 'primary', lease: 3, renewals: 2, holder: undefined };
    watch.look({ leases: [released], members: [] }, 0);
    expect(watch.isFree(released)).toBe(true);
  });

  it('time in which nothing was seen counts for nobody: after an outage all have time to show themselves', () => {
    const watch = new BoardWatch({ ttlMs: TTL_MS, maxGapMs: 5_000 });
    watchStill(watch, 0, 3_000);
    watch.look(board(1), 300_000);
    expect([watch.isFree(lease(1)), watch.isDead(member(1))]).toEqual([false, false]);
    watchStill(watch, 301_000, 310_000);
    expect(watch.isFree(lease(1))).toBe(true);
  });

  it('what anybody could have taken for the whole time is left lying: given back, never leased, or its holder dead', () => {
    const watch = new BoardWatch({ ttlMs: TTL_MS, maxGapMs: 5_000 });
    const released = { ...lease(1), holder: undefined };
    const state = { leases: [released, { ...lease(1), accountId: 'other' }], members: [] };
    const lying = () => [
      watch.isLeftLying('primary', released),
      watch.isLeftLying('new', undefined),
      watch.isLeftLying('other', state.leases[1]),
    ];
    for (let nowMs = 0; nowMs <= 9_000; nowMs += 1_000) watch.look(state, nowMs, ['primary', 'new']);
    expect(lying()).toEqual([false, false, false]);
    watch.look(state, 10_000, ['primary', 'new']);
    expect(lying()).toEqual([true, true, false]);
    for (let nowMs = 11_000; nowMs <= 20_000; nowMs += 1_000) watch.look(state, nowMs, ['primary', 'new']);
    expect(lying()).toEqual([true, true, true]);
  });

  it('what is seen for the first time is alive', () => {
    const watch = new BoardWatch({ ttlMs: TTL_MS, maxGapMs: 5_000 });
    watch.look(board(7), 1e9);
    expect([watch.isFree(lease(7)), watch.isDead(member(7))]).toEqual([false, false]);
  });
});
