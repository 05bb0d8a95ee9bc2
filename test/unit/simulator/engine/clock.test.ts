import { describe, expect, it } from 'vitest';
import { ClockInputError, SimClock } from '#simulator/engine/clock.ts';

function clockAt(options: ConstructorParameters<typeof SimClock>[0] = {}) {
  const wall = { ms: 1_000_000 };
  const clock = new SimClock({ nowMs: 50_000_000, ...options, wallMs: () => wall.ms });
  return { wall, clock };
}

describe('the exchange clock', () => {
  it('runs at the wall from where it was set', () => {
    const { wall, clock } = clockAt();
    wall.ms += 1_500;
    expect(clock.nowMs()).toBe(50_001_500);
    expect(clock.wallMs()).toBe(1_001_500);
  });

  it('runs at its speed, and a change of speed does not make it jump', () => {
    const { wall, clock } = clockAt({ speed: 60 });
    wall.ms += 1_000;
    clock.set({ speed: 2 });
    wall.ms += 1_000;
    expect(clock.nowMs()).toBe(50_062_000);
  });

  it('stands still at speed 0 and is stepped by setting it', () => {
    const { wall, clock } = clockAt({ speed: 0 });
    wall.ms += 10_000;
    expect(clock.nowMs()).toBe(50_000_000);
    clock.set({ nowMs: 50_000_001 });
    expect(clock.nowMs()).toBe(50_000_001);
  });

  it('falls to speed 1 at the end of a replay, exactly there', () => {
    const { wall, clock } = clockAt({ speed: 60, slowDownAtMs: 50_060_000 });
    wall.ms += 3_000;
    expect(clock.nowMs()).toBe(50_062_000);
    expect(clock.speed).toBe(1);
  });

  it('keeps a speed that was asked for after the end of the replay', () => {
    const { wall, clock } = clockAt({ speed: 60, slowDownAtMs: 50_060_000 });
    wall.ms += 3_000;
    clock.set({ speed: 10 });
    wall.ms += 1_000;
    expect(clock.nowMs()).toBe(50_072_000);
  });

  it('slows down again when it is set back into the replay', () => {
    const { wall, clock } = clockAt({ speed: 60, slowDownAtMs: 50_060_000 });
    wall.ms += 3_000;
    clock.set({ nowMs: 50_000_000, speed: 60 });
    wall.ms += 2_000;
    expect(clock.nowMs()).toBe(50_061_000);
  });

  it.each([
    { nowMs: Number.NaN },
    { nowMs: -1 },
    { nowMs: 2 ** 43 },
    { speed: -1 },
    { speed: Number.POSITIVE_INFINITY },
    { speed: 10_001 },
  ])('refuses %o and stays as it was', (change) => {
    const { clock } = clockAt();
    expect(() => clock.set({ ...change, market: 'open' })).toThrow(ClockInputError);
    expect([clock.nowMs(), clock.speed, clock.market]).toEqual([50_000_000, 1, 'auto']);
  });
});
