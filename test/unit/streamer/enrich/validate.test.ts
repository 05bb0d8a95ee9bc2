import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { frameOf, fullPacket, instrumentRow } from '#test/support/frames.ts';
import { type Lane, newLane } from '#test/support/lane.ts';

const TOKEN = (5 << 8) | 1;
const EVENING_MS = istMs('2026-08-18', '15:34');
const MORNING_MS = istMs('2026-08-19', '09:15');

let lane: Lane;
afterEach(() => lane.account.close());

function tell(atMs: number, volume: number): void {
  lane.clock.advance(Math.max(0, atMs - lane.clock.nowMs()));
  const packet = fullPacket(TOKEN, { last_price: 1_000, exchange_time: atMs / 1_000, volume });
  lane.account.pipeline.frame(frameOf([packet]));
}

describe('a level that stays wrong', () => {
  const START_MS = istMs('2026-08-18', '10:00');
  const PACKETS = 100;

  it.each([
    ['a price far from a close that was not adjusted', 'beyond_circuit', { close: 100_000 }, 0],
    ['an exchange time ahead of a clock that is behind', 'time_out_of_range', {}, 120],
  ] as const)('%s: passes for as long as it lasts, after the first few', (_what, reason, fields, aheadS) => {
    lane = newLane(START_MS);
    lane.claim([instrumentRow({ instrument_token: TOKEN, tradingsymbol: 'INFY' })]);
    for (let index = 0; index < PACKETS; index += 1) {
      lane.clock.advance(1_000);
      const exchange_time = Math.floor(lane.clock.nowMs() / 1_000) + aheadS;
      const packet = fullPacket(TOKEN, {
        last_price: 40_000 + index,
        exchange_time,
        volume: index,
        ...fields,
      });
      lane.account.pipeline.frame(frameOf([packet]));
    }
    const rejected = lane.account.pipeline.counts.rejected[reason];
    expect(rejected).toBeGreaterThan(1);
    expect(rejected).toBeLessThan(10);
    expect(lane.account.batchers.equities.publishedTotal).toBe(PACKETS - rejected);
  });
});

describe('a new session', () => {
  it('is compared with nothing of the one before, and the values of that one stay until it says others', () => {
    lane = newLane(EVENING_MS);
    lane.claim([instrumentRow({ instrument_token: TOKEN, tradingsymbol: 'INFY' })]);
    tell(EVENING_MS, 5_000);
    lane.take();
    lane.account.beginSession();
    const [slot] = [...lane.account.slots];
    expect(slot?.fields.slice(0, 4)).toEqual(Float64Array.of(1_000, 65, 1_000, 5_000));
    tell(MORNING_MS, 65);
    tell(MORNING_MS, 60);
    tell(MORNING_MS - 1_000, 70);
    const volumes = lane.take().flatMap(({ ticks }) => ticks.map((tick) => 'volume' in tick && tick.volume));
    expect(volumes).toEqual([65]);
    expect(lane.account.pipeline.counts.rejected).toMatchObject({ volume_backwards: 1, time_backwards: 1 });
  });
});
