import { expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { Barred } from '#streamer/control/barred.ts';

it('a streamer that fails an account again is not counted on for twice as long, up to 64 times', () => {
  const clock = new ManualClock(1_792_489_200_000);
  const barred = new Barred(1_000, clock);
  const lasts: number[] = [];
  for (let times = 0; times < 9; times += 1) {
    barred.note('p', 'a');
    const fromMs = clock.steadyMs();
    while (barred.has('p', 'a')) clock.advance(500);
    lasts.push(clock.steadyMs() - fromMs);
  }
  expect(lasts).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000]);
});

it('only that streamer and that account are meant, and only until it streams there', () => {
  const barred = new Barred(1_000, new ManualClock(1_792_489_200_000));
  barred.note('p', 'a');
  expect([barred.has('p', 'b'), barred.has('q', 'a')]).toEqual([false, false]);
  barred.lift('p', 'b');
  expect(barred.has('p', 'a')).toBe(true);
  barred.lift('p', 'a');
  expect(barred.has('p', 'a')).toBe(false);
});

it('what failed is forgotten once its bar has been over for as long as it lasted', () => {
  const clock = new ManualClock(0);
  const barred = new Barred(1_000, clock);
  const lastsMs = (idleMs: number) => {
    clock.advance(idleMs);
    barred.note('p', 'a');
    const fromMs = clock.steadyMs();
    while (barred.has('p', 'a')) clock.advance(500);
    return clock.steadyMs() - fromMs;
  };
  expect([0, 500, 1_500, 4_000, 0].map(lastsMs)).toEqual([1_000, 2_000, 4_000, 1_000, 2_000]);
});
