import { expect, test } from 'vitest';
import { FaultBox, faultRequest } from '#simulator/faults/faults.ts';
import { HandClock } from '../hand-market.ts';

const at = { account: 'SIM001', path: 'POST /orders/regular' };
const kind = 'http_error' as const;

test('a fault without count, probability or seconds fires once', () => {
  const faults = new FaultBox(new HandClock(), 1);
  expect(faults.armed).toBe(false);
  faults.arm({ kind });
  expect(faults.armed).toBe(true);
  expect(faults.fire(kind, at)).toMatchObject({ kind, fired: 1 });
  expect(faults.fire(kind, at)).toBeUndefined();
  expect(faults.armed).toBe(false);
  expect(faults.list()).toMatchObject([{ fired: 1, armed: false }]);
});

test('a count is counted, for its account and path alone', () => {
  const faults = new FaultBox(new HandClock(), 1);
  faults.arm({ kind, count: 2, account: 'SIM001', path: 'POST /orders' });
  expect(faults.fire(kind, { account: 'OTHER', path: at.path })).toBeUndefined();
  expect(faults.fire(kind, { account: 'SIM001', path: 'GET /orders' })).toBeUndefined();
  expect(faults.fire('http_slow', at)).toBeUndefined();
  expect([faults.fire(kind, at)?.fired, faults.fire(kind, at)?.fired, faults.fire(kind, at)]).toEqual([
    1,
    2,
    undefined,
  ]);
});

test('seconds run on the machine’s clock, and active does not count', () => {
  const clock = new HandClock();
  const faults = new FaultBox(clock, 1);
  faults.arm({ kind: 'feed_stall', seconds: 10 });
  clock.ms += 3_600_000;
  expect(faults.active('feed_stall', at)).toMatchObject({ fired: 0 });
  clock.wall += 9_999;
  expect(faults.fire('feed_stall', at)?.fired).toBe(1);
  clock.wall += 1;
  expect(faults.active('feed_stall', at)).toBeUndefined();
});

test('a probability is met over many tries, the same way for the same seed', () => {
  const run = (seed: number) => {
    const faults = new FaultBox(new HandClock(), seed);
    faults.arm({ kind, probability: 0.3 });
    return Array.from({ length: 1000 }, () => faults.fire(kind, at) !== undefined);
  };
  const fired = run(5).filter(Boolean).length;
  expect(fired).toBeGreaterThan(230);
  expect(fired).toBeLessThan(370);
  expect(run(5)).toEqual(run(5));
  expect(run(6)).not.toEqual(run(5));
});

test('two faults of a kind are used one after the other; clearing takes one or all', () => {
  const faults = new FaultBox(new HandClock(), 1);
  const first = faults.arm({ kind });
  const second = faults.arm({ kind });
  expect(faults.fire(kind, at)?.id).toBe(first.id);
  expect(faults.clear(second.id)).toBe(true);
  expect(faults.fire(kind, at)).toBeUndefined();
  expect(faults.clear(99)).toBe(false);
  faults.clear();
  expect(faults.list()).toEqual([]);
});

test.each([
  { kind: 'unheard_of' },
  { kind, probability: 1.5 },
  { kind, count: 0 },
  { kind, seconds: -1 },
  { kind, status: 200 },
  { kind, colour: 'red' },
])('%j is no fault', (request) => {
  expect(faultRequest.safeParse(request).success).toBe(false);
});
