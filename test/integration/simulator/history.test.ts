import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Simulator } from '#simulator/server.ts';
import { apiOf, startTestSimulator } from './kit.ts';

let simulator: Simulator;
let api: Awaited<ReturnType<typeof apiOf>>;

beforeAll(async () => {
  simulator = await startTestSimulator();
  api = await apiOf(simulator);
});
afterAll(() => simulator.close());

type Row = [string, number, number, number, number, number];

async function candles(interval: string, from: string, to: string): Promise<Row[]> {
  const query = new URLSearchParams({ from, to });
  const { body } = await api('GET', `/instruments/historical/408065/${interval}?${query}`);
  return (body.data as { candles: Row[] }).candles;
}

test.each([
  ['minute', 375],
  ['2minute', 188],
  ['3minute', 125],
  ['4minute', 94],
  ['5minute', 75],
  ['10minute', 38],
  ['15minute', 25],
  ['30minute', 13],
  ['60minute', 7],
  ['hour', 7],
  ['2hour', 4],
  ['3hour', 3],
  ['4hour', 2],
  ['day', 1],
])('a day of %s candles is %i, from the same opening to the same close', async (interval, count) => {
  const rows = await candles(interval, '2026-07-29 00:00:00', '2026-07-29 23:59:59');
  const [day] = await candles('day', '2026-07-29 00:00:00', '2026-07-29 23:59:59');
  expect(rows).toHaveLength(count);
  expect([rows[0]![1], rows.at(-1)![4]]).toEqual([day![1], day![4]]);
  expect(rows.reduce((sum, row) => sum + row[5], 0)).toBe(day![5]);
});

test('a week is its days in one candle', async () => {
  const span = ['2026-10-26 00:00:00', '2026-10-30 23:59:59'] as const;
  const days = await candles('day', ...span);
  const weeks = await candles('week', ...span);
  expect(weeks).toEqual([
    [
      '2026-10-26T00:00:00+0530',
      days[0]![1],
      Math.max(...days.map((day) => day[2])),
      Math.min(...days.map((day) => day[3])),
      days.at(-1)![4],
      days.reduce((sum, day) => sum + day[5], 0),
    ],
  ]);
});
