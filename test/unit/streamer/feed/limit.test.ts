import { expect, it } from 'vitest';
import { ConnectionLimit } from '#streamer/feed/limit.ts';

const SETTINGS = { maxConnections: 3, reserveConnections: 1, limitRetryMs: 1_000, limitRetryMaxMs: 3_000 };

it('a refusal lowers what is believed, and time raises it one by one, slower after every further refusal', () => {
  const limit = new ConnectionLimit(SETTINGS);
  expect([limit.believed, limit.usable, limit.isLowered]).toEqual([3, 2, false]);
  limit.lower(1, 0);
  expect([limit.believed, limit.usable, limit.isLowered]).toEqual([1, 1, true]);
  limit.confirm(1);
  expect([limit.raise(999), limit.raise(1_000), limit.raise(1_001)]).toEqual([false, true, false]);
  limit.lower(1, 2_000);
  expect([limit.raise(3_999), limit.raise(4_000)]).toEqual([false, true]);
  limit.lower(1, 5_000);
  expect([limit.raise(7_999), limit.raise(8_000)]).toEqual([false, true]);
  // Two are open: what was refused before is allowed again.
  limit.confirm(2);
  limit.lower(2, 9_000);
  expect([limit.raise(9_999), limit.raise(10_000)]).toEqual([false, true]);
  expect([limit.believed, limit.raise(60_000)]).toEqual([3, false]);
});

it('one connection is always believed in', () => {
  const limit = new ConnectionLimit({ ...SETTINGS, reserveConnections: 2 });
  limit.lower(0, 0);
  expect([limit.believed, limit.usable]).toEqual([1, 1]);
});
