import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import type { FeedMode, Instrument } from '#shared/market/instrument.ts';
import { frameOf, fullPacket, indexPacket, instrumentRow, optionRow } from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';

const NOW_MS = istMs('2026-08-18', '11:00');
const NOW_S = NOW_MS / 1_000;
const SPOT = 256_265;
const INDEX = instrumentRow({ instrument_token: SPOT, tradingsymbol: 'NIFTY 50', segment: 'INDICES' });
const CALL = optionRow((1_000 << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type: 'CE' });
const PUT = optionRow((1_001 << 8) | 2, { expiry: '2026-08-25', strike: 25_000, type: 'PE' });

const lanes: Lane[] = [];
afterEach(() => {
  for (const lane of lanes.splice(0)) lane.account.close();
});

function rig() {
  const lane = newLane(NOW_MS);
  lanes.push(lane);
  const { account } = lane;
  const row = (instrument: Instrument, mode: FeedMode = 'full') => ({
    instrument_token: instrument.instrument_token,
    mode,
    version: 1,
    instrument,
  });
  const link = () => account.feed.pool.connections[0]!;
  const names = () =>
    lane.take().flatMap(({ ticks }) => ticks.map(({ tradingsymbol, ltp }) => `${tradingsymbol} ${ltp}`));
  const tick = (instrument: Instrument, last_price: number) => {
    const { instrument_token } = instrument;
    const packet =
      instrument.segment === 'INDICES'
        ? indexPacket(instrument_token, last_price, NOW_S)
        : fullPacket(instrument_token, { last_price, exchange_time: NOW_S });
    account.pipeline.frame(frameOf([packet]), link().id);
  };
  return { account, row, link, names, tick, take: () => lane.take() };
}

describe('an account and its link', () => {
  it('a contract that expires another day than it did ticks on, with its new expiry', () => {
    const lane = rig();
    lane.account.apply([lane.row(CALL)], []);
    lane.tick(CALL, 10_000);
    lane.take();
    lane.account.apply([{ ...lane.row({ ...CALL, expiry: '2026-08-24' }), version: 2 }], []);
    lane.tick(CALL, 10_100);
    expect(lane.take()).toMatchObject([{ ticks: [{ ltp: 101, expiry: '2026-08-24' }] }]);
  });

  it('an instrument that goes and comes in one change ticks on, under its new name', () => {
    const { account, row, names, tick } = rig();
    account.apply([row(CALL)], []);
    tick(CALL, 10_000);
    expect(names()).toEqual([`${CALL.tradingsymbol} 100`]);
    const renamed = { ...CALL, tradingsymbol: 'NIFTY26AUG25100CE', strike: 25_100 };
    account.apply([row(renamed)], []);
    tick(renamed, 10_100);
    expect(names()).toEqual(['NIFTY26AUG25100CE 101']);
    account.apply([row(renamed)], [CALL.instrument_token]);
    tick(renamed, 10_200);
    expect(names()).toEqual(['NIFTY26AUG25100CE 102']);
  });

  it.each([
    ['expiry', { expiry: '2026-08-20' }],
    ['strike', { strike: 25_100 }],
  ])('an instrument whose %s moved under its name is priced by the new one', (_what, moved) => {
    const { account, row, names, tick } = rig();
    const slot = () => [...account.slots].find(({ token }) => token === CALL.instrument_token)!;
    account.apply([row(CALL)], []);
    const before = slot();
    account.apply([row(CALL)], []);
    expect(slot()).toBe(before);
    account.apply([row({ ...CALL, ...moved })], []);
    expect(slot().instrument).toMatchObject(moved);
    expect(slot().option!.terms.strike).toBe(slot().instrument.strike);
    expect(before.option!.expiryMs === slot().option!.expiryMs).toBe(!('expiry' in moved));
    tick(CALL, 10_000);
    expect(names()).toEqual([`${CALL.tradingsymbol} 100`]);
  });

  it('an index whose claim and whose last option end in one change is not streamed any more', () => {
    const { account, row, link } = rig();
    account.apply([row(INDEX), row(CALL)], []);
    expect([...link().wanted.keys()]).toEqual([SPOT, CALL.instrument_token]);
    account.apply([], [SPOT, CALL.instrument_token]);
    expect([...link().wanted.keys()]).toEqual([]);
  });

  it('an index whose only option is exchanged for another is streamed on', () => {
    const { account, row, link, names, tick } = rig();
    account.apply([row(CALL)], []);
    account.apply([row(PUT)], [CALL.instrument_token]);
    expect([...link().wanted]).toEqual([
      [SPOT, 'full'],
      [PUT.instrument_token, 'full'],
    ]);
    account.apply([row(INDEX, 'quote')], []);
    expect(link().wanted.get(SPOT)).toBe('quote');
    account.apply([row(INDEX)], []);
    tick(INDEX, 2_500_000);
    expect(names()).toEqual(['NIFTY 50 25000']);
  });
});
