import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { frameOf, fullPacket, indexPacket, ltpPacket, optionRow } from '#test/support/frames.ts';
import { newLane } from '#test/support/lane.ts';

const FRAMES = process.env.FULL === '1' ? 1_000_000 : 300_000;
const NOW_MS = istMs('2026-08-18', '11:00');
const NOW_S = NOW_MS / 1_000;
const INDEX = 256_265;
const OPTIONS = Array.from({ length: 50 }, (_, index) =>
  optionRow(((index + 1) << 8) | 2, { expiry: '2026-08-25', strike: 24_000 + index * 50, type: 'CE' }),
);

/** Seeded: the same frames in every run. */
function lcg(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function malformed(random: (below: number) => number): DataView {
  const token = OPTIONS[random(OPTIONS.length)]!.instrument_token;
  const hostile = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1][random(6)]!;
  const packets = [
    fullPacket(token, { last_price: hostile, exchange_time: NOW_S, oi: hostile, volume: hostile }),
    ltpPacket(token, hostile),
    indexPacket(INDEX, 2_500_000 + random(1_000), NOW_S),
  ];
  const frame = frameOf(packets.slice(0, 1 + random(3)));
  const bytes = new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength).slice();
  switch (random(5)) {
    case 0: // cut anywhere
      return new DataView(bytes.buffer, 0, random(bytes.length + 1));
    case 1: // a hostile count or length
      bytes[random(4)] = random(256);
      break;
    case 2: // noise
      for (let times = 0; times < 20; times += 1) bytes[random(bytes.length)] = random(256);
      break;
    case 3: // nothing but noise
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = random(256);
      break;
  }
  return new DataView(bytes.buffer);
}

describe(`${FRAMES} malformed frames`, () => {
  it('end no process, leave memory flat, are counted by reason, and everything published is valid JSON', () => {
    const lane = newLane(NOW_MS);
    lane.claim(OPTIONS);
    const random = lcg(20_260_818);
    const heapMb: number[] = [];
    for (let index = 0; index < FRAMES; index += 1) {
      lane.account.pipeline.frame(malformed(random));
      // Parsing all would take longer than the frames themselves.
      if (index % 50 === 0) lane.take();
      else lane.batches.length = 0;
      if (index % (FRAMES / 10) === 0) heapMb.push(process.memoryUsage().heapUsed / 1e6);
    }
    const { packets, pricingOnly, rejected } = lane.account.pipeline.counts;
    const { truncated_frame, trailing_bytes, ...ofPackets } = rejected;
    const refused = Object.values(ofPackets).reduce((sum, times) => sum + times, 0);
    expect(packets).toBe(refused + pricingOnly + lane.account.batchers.options.publishedTotal);
    for (const times of [
      truncated_frame,
      trailing_bytes,
      ofPackets.unknown_length,
      ofPackets.price_out_of_range,
    ]) {
      expect(times).toBeGreaterThan(FRAMES / 100);
    }
    expect(Math.min(...heapMb.slice(5))).toBeLessThan(Math.min(...heapMb.slice(0, 5)) + 20);
    lane.account.close();
    lane.take();
    const good = frameOf([
      indexPacket(INDEX, 2_500_000, NOW_S),
      fullPacket(OPTIONS[20]!.instrument_token, {
        last_price: 25_000,
        exchange_time: NOW_S,
        volume: 2 ** 32 - 1,
      }),
    ]);
    // Noise that was near enough to be believed may have moved a baseline: what persists is believed again.
    for (let times = 0; times < 10; times += 1) lane.account.pipeline.frame(good);
    expect(lane.take().flatMap((envelope) => envelope.ticks).length).toBeGreaterThan(0);
  });
});
