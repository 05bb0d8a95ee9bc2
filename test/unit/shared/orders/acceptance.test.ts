import { describe, expect, it } from 'vitest';
import { accept } from '#shared/orders/acceptance.ts';
import type { OrderRequest } from '#shared/orders/request.ts';
import { anInstrument } from '../market/an-instrument.ts';
import { DAY, NOW_MS, REQUEST } from './tasks.ts';

const OPTION = anInstrument();
const SHARE = anInstrument({
  tradingsymbol: 'NIFTYBEES',
  lot_size: 1,
  instrument_type: 'EQ',
  segment: 'NSE',
  exchange: 'NSE',
});

const taken = (change: Partial<OrderRequest> = {}, instrument = OPTION) =>
  accept({
    request: { ...REQUEST, ...change },
    instrument,
    owner: 'desk',
    nowMs: NOW_MS,
    wallMs: NOW_MS + 10 ** 9,
  });
const paths = (result: ReturnType<typeof taken>) =>
  'task_id' in result ? [] : result.map(({ path }) => path);

describe('accepting an order', () => {
  it("makes a pending task whose deadlines are wall time and whose day is the market's", () => {
    const task = taken();
    expect(task).toMatchObject({
      status: 'PENDING',
      version: 1,
      owner: 'desk',
      trading_day: DAY,
      created_at_ms: NOW_MS + 10 ** 9,
      not_after_ms: NOW_MS + 10 ** 9 + 60_000,
      failures: 0,
    });
    expect('slices' in task && task.slices).toMatchObject([{ quantity: 65 }]);
  });

  it('cuts what is above the freeze limit into slices with tags of their own', () => {
    const task = taken({ quantity: 65 * 60 });
    if (!('task_id' in task)) throw new Error('not taken');
    expect(task.slices.map(({ quantity }) => quantity)).toEqual([1_755, 1_755, 390]);
    expect(new Set(task.slices.map(({ tag }) => tag)).size).toBe(3);
  });

  it('does not cut shares, whatever their name', () => {
    expect(taken({ quantity: 100_000, exchange: 'NSE', product: 'CNC' }, SHARE)).toMatchObject({
      slices: [{ quantity: 100_000 }],
    });
  });

  it('judges an iceberg by its legs, and cuts nothing but plain orders', () => {
    const legs = { variety: 'iceberg', iceberg_legs: 2 } as const;
    expect(taken({ ...legs, quantity: 3_510, iceberg_quantity: 1_755 })).toMatchObject({
      slices: [{ quantity: 3_510 }],
    });
    expect(paths(taken({ ...legs, quantity: 3_640, iceberg_quantity: 1_820 }))).toEqual(['quantity']);
    expect(paths(taken({ variety: 'co', quantity: 1_820, product: 'MIS', trigger_price: 90 }))).toEqual([
      'quantity',
    ]);
  });

  it('names every field that the instrument does not allow', () => {
    expect(paths(taken({ quantity: 97, disclosed_quantity: 10, price: 100.03 }))).toEqual([
      'quantity',
      'disclosed_quantity',
      'price',
    ]);
    expect(paths(taken({ quantity: 32 }))).toEqual(['quantity']);
    const past = new Date(NOW_MS).toISOString();
    expect(paths(taken({ not_after: past }))).toEqual(['not_after']);
  });

  it('takes prices that are ticks but for their binary fraction', () => {
    for (const price of [0.05, 0.15, 100.05, 20_000.35, 99_999.95])
      expect(paths(taken({ price }))).toEqual([]);
  });

  it('refuses an index', () => {
    expect(paths(taken({}, { ...SHARE, segment: 'INDICES' }))).toEqual(['tradingsymbol']);
  });
});
