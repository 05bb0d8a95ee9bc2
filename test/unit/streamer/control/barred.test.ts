import { describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { Barred } from '#streamer/control/barred.ts';

const FIRST_MS = 20_000;

describe('a bar', () => {
  it('lasts twice as long each further time, and begins anew once it has been over for as long as it lasted', () => {
    const clock = new ManualClock(0);
    const barred = new Barred(FIRST_MS, clock);
    const lengthMs = () => {
      barred.note('a1', 'bad');
      let ms = 0;
      for (; barred.has('a1', 'bad'); ms += 1_000) clock.advance(1_000);
      return ms;
    };
    expect([lengthMs(), lengthMs(), lengthMs()]).toEqual([20_000, 40_000, 80_000]);
    clock.advance(79_000);
    expect(lengthMs()).toBe(160_000);
    clock.advance(160_000);
    expect(lengthMs()).toBe(FIRST_MS);
  });

  it('concerns that account and that streamer, and ends when it streams', () => {
    const barred = new Barred(FIRST_MS, new ManualClock(0));
    barred.note('a1', 'bad');
    expect([barred.has('a1', 'good'), barred.has('a2', 'bad'), barred.has('a1', 'bad')]).toEqual([
      false,
      false,
      true,
    ]);
    barred.lift('a1', 'good');
    expect(barred.has('a1', 'bad')).toBe(true);
    barred.lift('a1', 'bad');
    expect(barred.has('a1', 'bad')).toBe(false);
  });
});
