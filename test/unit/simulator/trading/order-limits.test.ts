import { expect, test } from 'vitest';
import { OrderLimits } from '#simulator/trading/order-limits.ts';
import { HandClock } from '../hand-market.ts';

function kit() {
  const clock = new HandClock();
  const limits = new OrderLimits(clock);
  const taken = (count: number, user = 'A') => {
    let passed = 0;
    for (let i = 0; i < count; i++) {
      try {
        limits.take(user, 1);
        passed += 1;
      } catch (error) {
        expect(error).toMatchObject({ status: 429, error_type: 'NetworkException' });
      }
    }
    return passed;
  };
  return { clock, limits, taken };
}

test('ten in any sliding second of machine time, each user for itself', () => {
  const { clock, taken } = kit();
  expect(taken(4)).toBe(4);
  clock.wall += 600;
  expect(taken(10)).toBe(6);
  expect(taken(3, 'B')).toBe(3);
  clock.ms += 60_000;
  expect(taken(1)).toBe(0);
  clock.wall += 400;
  expect(taken(10)).toBe(4);
});

test('four hundred in any minute', () => {
  const { clock, taken } = kit();
  let passed = 0;
  for (let second = 0; second < 59; second++) {
    passed += taken(10);
    clock.wall += 1000;
  }
  expect(passed).toBe(400);
  clock.wall += 2000;
  expect(taken(10)).toBe(10);
});

test('five thousand a day, where the legs of an iceberg count each', () => {
  const { clock, limits, taken } = kit();
  for (let minute = 0; minute < 12; minute++) {
    for (let second = 0; second < 41; second++) {
      taken(10);
      clock.wall += 1000;
    }
    clock.wall += 60_000;
  }
  for (let i = 0; i < 19; i++) {
    limits.take('A', 10);
    clock.wall += 1000;
  }
  expect(() => limits.take('A', 11)).toThrow('5000 orders a day');
  limits.take('A', 10);
  expect(() => limits.take('A', 1)).toThrow('Maximum allowed order requests exceeded');
  limits.newDay();
  clock.wall += 1000;
  limits.take('A', 1);
});
