import { describe, expect, it } from 'vitest';
import { matcherOf } from '#functions/subscriptions/filter.ts';
import { aRecord } from '../publisher/a-stream-record.ts';

describe('a filter', () => {
  it.each([
    [{}, true],
    [{ underlying: ['NIFTY'] }, true],
    [{ underlying: ['BANKNIFTY', 'NIFTY'], type: ['PE', 'CE'] as const }, true],
    [{ underlying: ['NIFTY'], type: ['PE'] as const }, false],
    [{ expiry: ['2026-08-25'] }, false],
    [{ account_id: ['primary'], mode: ['full'] as const, exchange: ['NFO'] }, true],
    [{ tradingsymbol: ['NIFTY26AUGFUT'] }, false],
  ])('%o: a NIFTY call of 18 August passes: %s', (filters, passes) => {
    expect(matcherOf(filters)(aRecord())).toBe(passes);
  });
});
