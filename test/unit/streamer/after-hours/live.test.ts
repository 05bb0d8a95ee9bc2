import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { isLive } from '#streamer/after-hours/live.ts';
import type { Slot } from '#streamer/enrich/slot.ts';
import { frameOf, fullPacket, indexPacket, instrumentRow, ltpPacket } from '#test/support/frames.ts';
import { newLane } from '#test/support/lane.ts';

const TOKEN = (5 << 8) | 1;
const CLOSE_MS = istMs('2026-08-18', '15:35');
const SINCE_MS = CLOSE_MS + 15_000;
const seconds = (ms: number) => ms / 1_000;

/** A share that was told by these packets. */
function told(packets: readonly Buffer[]): Slot {
  const lane = newLane(CLOSE_MS);
  lane.claim([instrumentRow({ instrument_token: TOKEN, tradingsymbol: 'INFY' })]);
  for (const packet of packets) lane.account.pipeline.frame(frameOf([packet]));
  lane.account.close();
  return [...lane.account.slots][0]!;
}

function judged(slot: Slot, packet: Buffer): boolean {
  return isLive(slot, frameOf([packet]), 4, packet.length, SINCE_MS);
}

const full = (last_price: number, atMs: number, volume = 0) =>
  fullPacket(TOKEN, { last_price, exchange_time: seconds(atMs), volume });
const quote = (last_price: number, volume: number) =>
  fullPacket(TOKEN, { last_price, volume }).subarray(0, 44);

describe('a real packet at night shows that the market trades', () => {
  it('when the exchange made it since synthetic ticks began', () => {
    expect(judged(told([]), full(1_000, SINCE_MS + 1_000))).toBe(true);
    expect(judged(told([full(1_000, CLOSE_MS)]), indexPacket(TOKEN, 1_000, seconds(SINCE_MS + 1_000)))).toBe(
      true,
    );
  });

  it('when the exchange made it after what it told last of the instrument, however wrong the clock is', () => {
    const slot = told([full(1_000, CLOSE_MS - 3_600_000)]);
    expect(judged(slot, full(1_000, CLOSE_MS - 3_590_000))).toBe(true);
  });

  it('but not when it is what the broker answers to a subscription', () => {
    expect(judged(told([]), full(1_000, CLOSE_MS))).toBe(false);
    expect(judged(told([full(1_000, CLOSE_MS)]), full(1_000, CLOSE_MS))).toBe(false);
    expect(judged(told([]), full(1_000, 0))).toBe(false);
  });

  it('in modes without a time: when price or volume are news', () => {
    expect(judged(told([]), ltpPacket(TOKEN, 1_000))).toBe(false);
    expect(judged(told([ltpPacket(TOKEN, 1_000)]), ltpPacket(TOKEN, 1_000))).toBe(false);
    expect(judged(told([ltpPacket(TOKEN, 1_000)]), ltpPacket(TOKEN, 1_005))).toBe(true);
    expect(judged(told([quote(1_000, 7)]), quote(1_000, 7))).toBe(false);
    expect(judged(told([quote(1_000, 7)]), quote(1_000, 8))).toBe(true);
    // A claim in a higher mode: the volume was not known before.
    expect(judged(told([ltpPacket(TOKEN, 1_000)]), quote(1_000, 8))).toBe(false);
  });
});
