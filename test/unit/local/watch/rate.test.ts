import { expect, it } from 'vitest';
import { TickRate } from '#local/watch/rate.ts';

it('the tick rate counts the last two seconds only', () => {
  const rate = new TickRate();
  rate.add(100, 0);
  rate.add(40, 1_500);
  expect(rate.perSecond(1_500)).toBe(70);
  expect(rate.perSecond(2_500)).toBe(20);
  expect(rate.perSecond(9_000)).toBe(0);
});
