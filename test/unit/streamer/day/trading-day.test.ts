import { describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import type { InstrumentPointer } from '#shared/market/instrument-store.ts';
import { symbolHash } from '#streamer/day/symbol-hash.ts';
import { TokenIndex } from '#streamer/day/token-index.ts';
import { heldReason, TradingDay, type TradingDaySettings } from '#streamer/day/trading-day.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

const EXPIRY_DAY = '2026-08-18';
const TODAY = anInstrument({ expiry: EXPIRY_DAY });
const LATER = anInstrument({ instrument_token: 14_512_898, tradingsymbol: 'LATER', expiry: '2026-08-25' });
const SHARE = anInstrument({
  instrument_token: 257,
  tradingsymbol: 'SHARE',
  expiry: '',
  instrument_type: 'EQ',
  segment: 'NSE',
  exchange: 'NSE',
});

function pointerOf(day: string): InstrumentPointer {
  return { day, version: day, prefix: day, count: 2, refreshed_at: `${day}T03:00:00.000Z` };
}

function setUp(time: string, settings: Partial<TradingDaySettings> = {}, day = EXPIRY_DAY) {
  const clock = new ManualClock(istMs(day, time));
  const registry: { index: TokenIndex | undefined; pointer: InstrumentPointer | undefined } = {
    index: undefined,
    pointer: undefined,
  };
  const trading = new TradingDay(clock, registry, {
    expiryGraceMs: 60_000,
    withoutDump: 'stream',
    ...settings,
  });
  const reason = (instrument = TODAY) => heldReason(instrument, trading.view());
  return { clock, registry, trading, reason };
}

describe('the trading day', () => {
  it.each([
    ['15:39', '2026-08-18', undefined],
    ['15:40:59', '2026-08-18', undefined],
    ['15:41', '2026-08-18', 'expired'],
    ['00:00', '2026-08-19', 'expired'],
  ])('at %s of %s has an option of the expiry day as %s', (time, day, reason) => {
    expect(setUp(time, {}, day).reason()).toBe(reason);
    expect(setUp(time, {}, day).reason(LATER)).toBeUndefined();
  });

  it('ends contracts of other exchanges with their day: their hours are not known', () => {
    const crude = anInstrument({ exchange: 'MCX', expiry: EXPIRY_DAY });
    expect(setUp('23:00').reason(crude)).toBeUndefined();
    expect(setUp('00:00', {}, '2026-08-19').reason(crude)).toBe('expired');
  });

  it('ends a contract as the clock passes its close, and takes it back when the clock is set back', () => {
    const { clock, reason } = setUp('15:00');
    expect(reason()).toBeUndefined();
    clock.advance(41 * 60_000);
    expect(reason()).toBe('expired');
    clock.advance(-41 * 60_000);
    expect(reason()).toBeUndefined();
  });

  it('checks tokens against the dump as soon as there is one', () => {
    const { registry, reason } = setUp('11:00');
    expect(reason(LATER)).toBeUndefined();
    const index = new TokenIndex(2);
    index.add(LATER.instrument_token, symbolHash({ ...LATER, tradingsymbol: 'ANOTHER' }));
    index.add(TODAY.instrument_token, symbolHash(TODAY));
    registry.index = index;
    expect(reason(LATER)).toBe('recycled');
    expect(reason(TODAY)).toBeUndefined();
    expect(reason(SHARE)).toBe('gone');
  });

  it.each([
    ['2026-08-17', '08:59', undefined],
    ['2026-08-17', '09:00', 'waiting'],
    ['2026-08-17', '15:39', 'waiting'],
    ['2026-08-17', '15:40', undefined],
    ['2026-08-18', '09:00', undefined],
    [undefined, '09:00', 'waiting'],
  ])('asked to hold, with the dump of %s at %s has an option as %s', (dumpDay, time, reason) => {
    const scene = setUp(time, { withoutDump: 'hold' });
    if (dumpDay !== undefined) scene.registry.pointer = pointerOf(dumpDay);
    expect(scene.reason(LATER)).toBe(reason);
    expect(scene.reason(SHARE)).toBeUndefined();
  });

  it('lets all stream without the dump of the day unless it is asked to hold', () => {
    const scene = setUp('11:00');
    scene.registry.pointer = pointerOf('2026-08-17');
    expect(scene.reason(LATER)).toBeUndefined();
  });

  it('has the same view until something of it changes', () => {
    const { clock, registry, trading } = setUp('10:00');
    const view = trading.view();
    registry.pointer = pointerOf(EXPIRY_DAY);
    clock.advance(3_600_000);
    expect(trading.view()).toBe(view);
    registry.index = new TokenIndex(0);
    expect(trading.view()).not.toBe(view);
  });

  it('begins a session at midnight, with the pre-open, and with the open', () => {
    const { clock, trading } = setUp('00:00');
    const sessions: string[] = [];
    for (let minutes = 0; minutes < 2 * 1_440; minutes += 15) {
      const { session } = trading.view();
      if (sessions.at(-1) !== session) sessions.push(session);
      clock.advance(15 * 60_000);
    }
    expect(sessions).toEqual([
      '2026-08-18 night',
      '2026-08-18 pre_open',
      '2026-08-18 open',
      '2026-08-19 night',
      '2026-08-19 pre_open',
      '2026-08-19 open',
    ]);
  });
});
