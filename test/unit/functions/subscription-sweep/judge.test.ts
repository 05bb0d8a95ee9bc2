import { describe, expect, it } from 'vitest';
import { believedGone, isExpired, notCurrent } from '#functions/subscription-sweep/judge.ts';
import { istMs } from '#shared/market/calendar.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';
import { aRecord } from '../publisher/a-stream-record.ts';

const MINUTE_MS = 60_000;
const TODAY = '2026-08-17';

describe('a subscription', () => {
  it.each([
    ['NFO', '15:40:59', false],
    ['NFO', '15:41', true],
    ['BFO', '15:41', true],
    ['MCX', '23:59', false],
  ])('on %s at %s of its expiry day is over: %s', (exchange, time, over) => {
    const record = aRecord({ instrument: anInstrument({ exchange, expiry: '2026-08-18' }) });
    expect(isExpired(record, istMs('2026-08-18', time), MINUTE_MS)).toBe(over);
  });

  it('of a share is never over', () => {
    const record = aRecord({ instrument: anInstrument({ exchange: 'NSE', expiry: '' }) });
    expect(isExpired(record, istMs('2030-01-01', '12:00'), 0)).toBe(false);
  });

  it('is current while the dump has its symbol under its token', () => {
    const record = aRecord();
    expect(notCurrent(record, anInstrument({ lot_size: 75 }), undefined, TODAY)).toBeUndefined();
  });

  it('goes to the token that its symbol has now, or ends when it has none', () => {
    const record = aRecord();
    const other = anInstrument({ tradingsymbol: 'OTHER' });
    const successor = anInstrument({ instrument_token: 513 });
    expect(notCurrent(record, other, successor, TODAY)).toEqual({
      record,
      reason: 'token_changed',
      successor,
    });
    expect(notCurrent(record, undefined, successor, TODAY)).toEqual({
      record,
      reason: 'token_changed',
      successor,
    });
    expect(notCurrent(record, other, undefined, TODAY)).toEqual({ record, reason: 'instrument_gone' });
  });

  it.each([
    ['2026-08-17', 'expiry_changed'],
    ['2026-08-25', 'expiry_changed'],
    ['2026-08-14', undefined],
    ['', undefined],
  ])('of the 18th, which the dump has as of "%s" on the 17th: %s', (expiry, reason) => {
    const record = aRecord();
    const named = anInstrument({ expiry });
    const renewal = reason && { record, reason, successor: named };
    expect(notCurrent(record, named, undefined, TODAY)).toEqual(renewal);
  });
});

describe('contracts that the dump lacks', () => {
  const contracts = (count: number, name = 'NIFTY') =>
    Array.from({ length: count }, (_, n) => anInstrument({ name, tradingsymbol: `${name}${n}` }));
  const goneOf = (instruments: ReturnType<typeof contracts>) =>
    instruments.map((instrument) => ({ record: aRecord({ instrument }) }));
  const all = contracts(30);

  it('are not gone from one without rows, nor from one without their like, however few they are', () => {
    for (const count of [1, 20, 30]) {
      const gone = goneOf(all.slice(0, count));
      expect(believedGone(gone, [])).toEqual([]);
      expect(believedGone(gone, contracts(5_000, 'BANKNIFTY'))).toEqual([]);
    }
  });

  it('are gone from one that has four of their like for each, family by family', () => {
    const [gone, other] = [goneOf(all.slice(0, 2)), goneOf(contracts(1, 'BANKNIFTY'))];
    expect(believedGone([...gone, ...other], all.slice(2, 10))).toEqual(gone);
    expect(believedGone([...gone, ...other], all.slice(2, 9))).toEqual([]);
    expect(believedGone(gone.slice(0, 1), all.slice(1, 5))).toEqual(gone.slice(0, 1));
  });

  it('are not gone from a newer one that has them', () => {
    expect(believedGone(goneOf(all.slice(0, 2)), all.slice(1))).toEqual(goneOf(all.slice(0, 1)));
  });
});
