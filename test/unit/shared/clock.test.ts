import { describe, expect, it, vi } from 'vitest';
import { FollowingClock, ManualClock, systemClock } from '#shared/clock.ts';

describe('clocks', () => {
  it('a following clock goes on at the speed of the clock it read, while wall time stays the machine’s', () => {
    vi.useFakeTimers({ now: 1_000_000 });
    try {
      const clock = new FollowingClock();
      expect(clock.nowMs()).toBe(1_000_000);
      clock.set({ nowMs: 5_000, wallMs: 1_000_000, speed: 60 });
      vi.advanceTimersByTime(1_000);
      expect(clock.nowMs()).toBe(65_000);
      expect(clock.wallMs()).toBe(1_001_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a manual clock moves by hand only', () => {
    const clock = new ManualClock(10);
    clock.advance(5);
    expect([clock.nowMs(), clock.wallMs(), clock.steadyMs()]).toEqual([15, 15, 5]);
  });

  it('steady time does not follow a jump of the machine’s', () => {
    const clock = new ManualClock(10);
    clock.jump(-7);
    expect([clock.wallMs(), clock.steadyMs()]).toEqual([3, 0]);
  });

  it('the system clock shows one time', () => {
    vi.useFakeTimers({ now: 77 });
    try {
      expect([systemClock().nowMs(), systemClock().wallMs()]).toEqual([77, 77]);
    } finally {
      vi.useRealTimers();
    }
  });
});
