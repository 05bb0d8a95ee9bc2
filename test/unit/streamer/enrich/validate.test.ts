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
