import { describe, expect, it } from 'vitest';
import { isBelievable, isExpired, notCurrent } from '#functions/subscription-sweep/judge.ts';
import { istMs } from '#shared/market/calendar.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';
import { aRecord } from '../publisher/a-stream-record.ts';

const MINUTE_MS = 60_000;

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
    expect(notCurrent(record, anInstrument({ lot_size: 75 }), undefined)).toBeUndefined();
  });

  it('goes to the token that its symbol has now, or ends when it has none', () => {
    const record = aRecord();
    const other = anInstrument({ tradingsymbol: 'OTHER' });
    const successor = anInstrument({ instrument_token: 513 });
    expect(notCurrent(record, other, successor)).toEqual({ record, reason: 'token_changed', successor });
    expect(notCurrent(record, undefined, successor)).toEqual({ record, reason: 'token_changed', successor });
    expect(notCurrent(record, other, undefined)).toEqual({ record, reason: 'instrument_gone' });
  });
});

describe('a dump', () => {
  it.each([
    [0, 0, true],
    [20, 21, true],
    [21, 100, false],
    [21, 105, true],
    [2_000, 9_000, false],
  ])('that lacks %i of %i is believed: %s', (missing, looked, believed) => {
    expect(isBelievable(missing, looked)).toBe(believed);
  });
});
