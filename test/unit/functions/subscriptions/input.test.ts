import { describe, expect, it } from 'vitest';
import { listSchema, subscribeSchema } from '#functions/subscriptions/input.ts';
import { inputErrors } from '#shared/http/input.ts';

const pathsOf = (body: unknown) => {
  const parsed = subscribeSchema.safeParse(body);
  return parsed.success ? [] : [...new Set(inputErrors(parsed.error).map(({ path }) => path))].sort();
};

describe('a wish to subscribe', () => {
  it.each([
    [{ instrument_token: 256265 }, { instrument_token: 256265, mode: 'full' }],
    [
      { instrument_token: 256265, mode: 'QUOTE' },
      { instrument_token: 256265, mode: 'quote' },
    ],
    [
      { instrument_token: 256265, requested_mode: 'LTP' },
      { instrument_token: 256265, mode: 'ltp' },
    ],
    [
      { instrument_token: 256265, mode: 'ltp', requested_mode: 'LTP' },
      { instrument_token: 256265, mode: 'ltp' },
    ],
    [
      { exchange: 'NSE', tradingsymbol: 'NIFTY 50', account_id: 'primary' },
      { exchange: 'NSE', tradingsymbol: 'NIFTY 50', account_id: 'primary', mode: 'full' },
    ],
  ])('%o is understood', (body, expected) => {
    expect(subscribeSchema.parse(body)).toEqual(expected);
  });

  it.each([
    [{}, ['instrument_token']],
    [{ instrument_token: -1 }, ['instrument_token']],
    [{ instrument_token: 2 ** 40 }, ['instrument_token']],
    [{ instrument_token: 'abc' }, ['instrument_token']],
    [{ instrument_token: '256265' }, ['instrument_token']],
    [{ exchange: 'NSE' }, ['tradingsymbol']],
    [{ tradingsymbol: 'NIFTY 50' }, ['tradingsymbol']],
    [{ mode: 'loud' }, ['instrument_token', 'mode']],
    [{ instrument_token: 1, mode: 'ltp', requested_mode: 'full' }, ['requested_mode']],
    [
      { instrument_token: 1.5, mode: 7, account_id: 'a b', extra: 1 },
      ['account_id', 'extra', 'instrument_token', 'mode'],
    ],
    [{ instrument_token: 1, exchange: 'x'.repeat(65), tradingsymbol: '' }, ['exchange', 'tradingsymbol']],
    [[], ['']],
    [null, ['']],
    ['256265', ['']],
  ])('%o is refused for %o', (body, paths) => {
    expect(pathsOf(body)).toEqual(paths);
  });
});

describe('a list', () => {
  it('takes several values of a filter', () => {
    expect(listSchema.parse({ type: 'CE,PE', expiry: '2026-08-18,2026-08-25', mode: 'FULL' })).toMatchObject({
      limit: 100,
      type: ['CE', 'PE'],
      expiry: ['2026-08-18', '2026-08-25'],
      mode: ['full'],
    });
  });

  it.each([{ type: 'XX' }, { expiry: '18-08-2026' }, { cursor: 'x' }, { unknown: '1' }])(
    'refuses %o',
    (query) => {
      expect(listSchema.safeParse(query).success).toBe(false);
    },
  );
});
