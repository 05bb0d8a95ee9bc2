import { describe, expect, it } from 'vitest';
import { believedGone, isExpired, notCurrent } from '#functions/subscription-sweep/judge.ts';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
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
  const contracts = (count: number, name = 'NIFTY', firstToken = name === 'NIFTY' ? 2 : 1_000_002) =>
    Array.from({ length: count }, (_, n) =>
      anInstrument({ name, tradingsymbol: `${name}${n}`, instrument_token: firstToken + 256 * n }),
    );
  const goneOf = (instruments: readonly Instrument[]) =>
    instruments.map((instrument) => ({
      record: aRecord({ instrument, instrument_token: instrument.instrument_token }),
    }));
  const all = contracts(30);

  it('are not gone from one without rows, nor from one without their like, however few they are', () => {
    for (const count of [1, 20, 30]) {
      const gone = goneOf(all.slice(0, count));
      expect(believedGone(gone, [], TODAY)).toEqual([]);
      expect(believedGone(gone, contracts(5_000, 'BANKNIFTY'), TODAY)).toEqual([]);
    }
  });

  it('are gone from one that has four of their like for each, family by family', () => {
    const [gone, other] = [goneOf(all.slice(0, 2)), goneOf(contracts(1, 'BANKNIFTY'))];
    expect(believedGone([...gone, ...other], all.slice(2, 10), TODAY)).toEqual(gone);
    expect(believedGone([...gone, ...other], all.slice(2, 9), TODAY)).toEqual([]);
    expect(believedGone(gone.slice(0, 1), all.slice(1, 5), TODAY)).toEqual(gone.slice(0, 1));
  });

  it('are not gone from a newer one that has them', () => {
    const [first, second] = goneOf(all.slice(0, 2));
    expect(believedGone([first!, second!], all.slice(1), TODAY)).toEqual([first]);
  });

  describe('whose tokens it gives to others', () => {
    const renamed = (count: number, changes = {}) =>
      all.slice(0, count).map((one) => ({ ...one, tradingsymbol: `NEW${one.tradingsymbol}`, ...changes }));

    it('are gone, all of a renamed underlying and a third of one that was split', () => {
      const underlying = goneOf(all);
      expect(believedGone(underlying, renamed(30, { name: 'ETERNAL' }), TODAY)).toEqual(underlying);
      const split = goneOf(all.slice(0, 10));
      expect(believedGone(split, [...renamed(10), ...all.slice(10)], TODAY)).toEqual(split);
    });

    it('are gone beside others of which nothing is said, and do not speak for those', () => {
      const gone = goneOf(all);
      expect(believedGone(gone, renamed(10, { name: 'ETERNAL' }), TODAY)).toEqual(gone.slice(0, 10));
      expect(believedGone(gone.slice(0, 11), [...renamed(10), ...all.slice(11, 15)], TODAY)).toEqual(
        gone.slice(0, 11),
      );
    });

    it('are not gone from one that has them elsewhere', () => {
      const elsewhere = all.map((one, n) => ({
        ...one,
        instrument_token: all[(n + 1) % 30]!.instrument_token,
      }));
      expect(believedGone(goneOf(all), elsewhere, TODAY)).toEqual([]);
    });

    it('are not gone from an old one, where the others are over', () => {
      expect(believedGone(goneOf(all), renamed(30, { expiry: '2026-08-14' }), TODAY)).toEqual([]);
    });
  });
});
