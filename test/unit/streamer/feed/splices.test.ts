import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedMode } from '#shared/market/instrument.ts';
import { Slot } from '#streamer/enrich/slot.ts';
import { decodeBody, FIELD } from '#streamer/feed/decode.ts';
import { Splices } from '#streamer/feed/splices.ts';
import { frameOf, fullPacket, ltpPacket, optionRow } from '#test/support/frames.ts';

const TOKEN = (1_000 << 8) | 2;
const [OLD, NEW] = [1, 2];
const ROW = optionRow(TOKEN, { expiry: '2026-08-25', strike: 25_000, type: 'CE' });
/** A frame's count and its first packet's length stand before the packet. */
const BODY_AT = 4;

/** One instrument whose packets come over two links; prices number the exchange's ticks. */
function rig(mode: FeedMode = 'full') {
  const used: number[] = [];
  const slot = new Slot(ROW, true, 'black_scholes_spot', { rate: 0.1, dividendYield: 0 });
  slot.mode = mode;
  slot.comparesVolume = true;
  const splices = new Splices((each, frame, offset, length) => {
    decodeBody(frame, offset, length, each.fields);
    each.packetLength = length;
    used.push(each.fields[FIELD.last_price]!);
  });
  const send = (link: number, packet: Buffer) => {
    const frame = frameOf([packet]);
    if (slot.link === link) {
      decodeBody(frame, BODY_AT, packet.length, slot.fields);
      slot.packetLength = packet.length;
      used.push(slot.fields[FIELD.last_price]!);
    } else splices.take(slot, link, frame, BODY_AT, packet.length);
  };
  splices.assign(slot, OLD);
  return { slot, splices, used, send };
}

/** Two ticks a second; `volumes`: what each adds. */
function ticksOf(volumes: readonly number[]): Buffer[] {
  let volume = 0;
  return volumes.map((more, index) => {
    volume += more;
    return fullPacket(TOKEN, { last_price: index, volume, exchange_time: 1_800_000_000 + (index >> 1) });
  });
}

/** The packet in quote mode that a bare subscribe brings. */
function bare(packet: Buffer): Buffer {
  return packet.subarray(0, 44);
}

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index);

describe('two links of an instrument', () => {
  const given = fc.record({
    volumes: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 40 }),
    joinsAt: fc.nat(39),
    /** Which link's turn it is, while both have something to deliver. */
    turns: fc.array(fc.boolean(), { maxLength: 80 }),
    maxApart: fc.integer({ min: 1, max: 8 }),
  });

  /** Both deliver everything from where they stand, in any interleaving that is at most `maxApart` apart. */
  function* interleaved(count: number, start: number, turns: readonly boolean[], maxApart: number) {
    let [old, next] = [start, start];
    for (let turn = 0; old < count || next < count; turn += 1) {
      const wantsOld = turns[turn % Math.max(1, turns.length)] ?? true;
      const canOld = old < count && old - next < maxApart;
      const canNext = next < count && next - old < maxApart;
      if (canOld && (wantsOld || !canNext)) yield { link: OLD, index: old++ };
      else yield { link: NEW, index: next++ };
    }
  }

  it('are joined so that each tick is used once and in order, however one lags behind the other', () => {
    const property = fc.property(given, ({ volumes, joinsAt, turns, maxApart }) => {
      const ticks = ticksOf(volumes);
      const start = joinsAt % ticks.length;
      const { slot, splices, used, send } = rig();
      for (const packet of ticks.slice(0, start)) send(OLD, packet);
      splices.handOver(slot, NEW);
      send(NEW, bare(ticks[start]!));
      for (const { link, index } of interleaved(ticks.length, start, turns, maxApart))
        send(link, ticks[index]!);
      expect(used).toEqual(upTo(ticks.length));
      expect(slot.link).toBe(NEW);
    });
    fc.assert(property, { seed: 6, numRuns: 2_000 });
  });

  it('one of which ends in the middle: missing is only what neither delivered', () => {
    const property = fc.property(given, fc.nat(80), ({ volumes, joinsAt, turns, maxApart }, endsAt) => {
      const ticks = ticksOf(volumes.map((more) => more + 1));
      const start = joinsAt % ticks.length;
      const { slot, splices, used, send } = rig();
      for (const packet of ticks.slice(0, start)) send(OLD, packet);
      splices.handOver(slot, NEW);
      const delivered = new Set(upTo(start));
      let sent = 0;
      for (const { link, index } of interleaved(ticks.length, start, turns, maxApart)) {
        if (sent === endsAt) splices.settle(slot);
        sent += 1;
        if (link === OLD && sent > endsAt) continue;
        delivered.add(index);
        send(link, ticks[index]!);
      }
      splices.settle(slot);
      expect(used).toEqual([...delivered].sort((a, b) => a - b));
    });
    fc.assert(property, { seed: 7, numRuns: 2_000 });
  });

  it('the second of which falls silent and gives up: what the first one shows then is its newest', () => {
    const property = fc.property(given, fc.nat(40), fc.nat(20), (ticksGiven, diesAfter, noticedAfter) => {
      const { volumes, joinsAt, turns, maxApart } = ticksGiven;
      const ticks = ticksOf(volumes.map((more) => more + 1));
      const start = joinsAt % ticks.length;
      const { slot, splices, used, send } = rig();
      for (const packet of ticks.slice(0, start)) send(OLD, packet);
      splices.handOver(slot, NEW);
      const passedOver = new Set<number>();
      let turn = 0;
      let newestOfOld = start - 1;
      for (const { link, index } of interleaved(ticks.length, start, turns, maxApart)) {
        if (turn === diesAfter + noticedAfter) {
          splices.cancel(slot, OLD, NEW);
          expect(used.at(-1) ?? -1).toBeGreaterThanOrEqual(newestOfOld);
        }
        turn += 1;
        if (link === NEW && turn > diesAfter) continue;
        if (link === OLD) {
          newestOfOld = index;
          if (slot.link === NEW) passedOver.add(index);
        }
        send(link, ticks[index]!);
      }
      splices.cancel(slot, OLD, NEW);
      expect(used.at(-1)).toBe(ticks.length - 1);
      expect(used).toEqual([...new Set(used)].sort((a, b) => a - b));
      const missing = upTo(ticks.length).filter((index) => !used.includes(index));
      expect(missing.filter((index) => !passedOver.has(index))).toEqual([]);
    });
    fc.assert(property, { seed: 8, numRuns: 2_000 });
  });

  it('the second of which was only asked and had no news: the first one never lost its place', () => {
    const property = fc.property(given, fc.nat(80), ({ volumes, joinsAt, turns, maxApart }, endsAfter) => {
      const ticks = ticksOf(volumes.map((more) => more + 1));
      const start = joinsAt % ticks.length;
      const { slot, splices, used, send } = rig();
      for (const packet of ticks.slice(0, start)) send(OLD, packet);
      splices.handOver(slot, NEW, true);
      let turn = 0;
      for (const { link, index } of interleaved(ticks.length, start, turns, maxApart)) {
        if (turn === endsAfter) splices.cancel(slot, OLD, NEW);
        turn += 1;
        send(link, ticks[index]!);
        if (link === OLD) expect(used.at(-1)).toBe(index);
      }
      expect(used).toEqual(upTo(ticks.length));
    });
    fc.assert(property, { seed: 9, numRuns: 1_000 });
  });
});

describe('a link that was asked', () => {
  const [first, second, third] = ticksOf([1, 1, 1]) as [Buffer, Buffer, Buffer];

  it('has news in ticks that it alone brings, after a snapshot that told nothing too', () => {
    const { slot, splices, used, send } = rig();
    send(OLD, first);
    splices.handOver(slot, NEW, true);
    send(NEW, first);
    expect([splices.newsOf(NEW), slot.link]).toEqual([0, 0]);
    send(NEW, second);
    send(NEW, third);
    expect([splices.newsOf(NEW), used]).toEqual([2, [0]]);
    splices.settle(slot);
    expect([slot.link, used]).toEqual([NEW, [0, 1, 2]]);
  });

  it('has none in ticks that the first one brings too, whoever is earlier', () => {
    const { slot, splices, used, send } = rig();
    send(OLD, first);
    splices.handOver(slot, NEW, true);
    for (const [link, packet] of [
      [NEW, first],
      [NEW, second],
      [OLD, second],
      [OLD, third],
      [NEW, third],
    ] as const)
      send(link, packet);
    expect([splices.newsOf(NEW), used]).toEqual([0, [0, 1, 2]]);
    splices.cancel(slot, OLD, NEW);
    expect(slot.link).toBe(OLD);
  });

  it('has news in the first tick of an instrument', () => {
    const { slot, splices, used, send } = rig();
    splices.handOver(slot, NEW, true);
    send(NEW, first);
    expect([splices.newsOf(NEW), used]).toEqual([1, []]);
    splices.settle(slot);
    expect([slot.link, used]).toEqual([NEW, [0]]);
  });
});

describe('what the link before sends on', () => {
  const [first, second, third] = ticksOf([1, 1, 1]) as [Buffer, Buffer, Buffer];

  it('is kept, its newest packet, until the hand-over is over, and each packet counted once', () => {
    for (const isOver of [true, false]) {
      const { slot, splices, used, send } = rig();
      send(OLD, first);
      splices.handOver(slot, NEW);
      send(NEW, first);
      for (const packet of [second, third]) send(OLD, packet);
      if (isOver) splices.finish(slot, NEW);
      splices.cancel(slot, OLD, NEW);
      expect(used).toEqual(isOver ? [0] : [0, 2]);
      expect(splices.repeated).toMatchObject({ double: 1, not_home: isOver ? 2 : 1 });
    }
  });

  it('is told where it was not followed any more and the second one never spoke', () => {
    const { slot, splices, used, send } = rig();
    send(OLD, first);
    splices.handOver(slot, NEW);
    splices.settle(slot);
    send(OLD, second);
    splices.cancel(slot, OLD, NEW);
    send(OLD, third);
    expect(used).toEqual([0, 1, 2]);
  });

  it('is nothing where the second one told more', () => {
    const { slot, splices, used, send } = rig();
    send(OLD, first);
    splices.handOver(slot, NEW);
    for (const [link, packet] of [
      [NEW, first],
      [NEW, second],
      [NEW, third],
      [OLD, second],
    ] as const)
      send(link, packet);
    splices.cancel(slot, OLD, NEW);
    send(OLD, third);
    expect(used).toEqual([0, 1, 2]);
    expect(splices.repeated).toMatchObject({ double: 2, outdated: 1, not_home: 0 });
  });
});

describe('a subscription made again', () => {
  const [first, second, third] = ticksOf([1, 1, 1]) as [Buffer, Buffer, Buffer];

  it('does not tell again what was told, nor anything older', () => {
    const { slot, splices, used, send } = rig();
    for (const packet of [bare(first), first, second]) send(OLD, packet);
    splices.reopened(slot, OLD);
    for (const packet of [bare(second), second, third]) send(OLD, packet);
    expect(used).toEqual([0, 1, 2]);
    expect(splices.repeated).toEqual({ not_home: 0, double: 1, outdated: 0, other_mode: 2 });
    splices.reopened(slot, OLD);
    for (const packet of [first, second, third]) send(OLD, packet);
    expect(used).toEqual([0, 1, 2]);
    expect(splices.repeated.outdated).toBe(2);
  });

  it('whose times stay behind is believed in the end', () => {
    const { slot, splices, used, send } = rig();
    const ticks = ticksOf(Array.from({ length: 20 }, () => 1));
    send(OLD, ticks[19]!);
    splices.reopened(slot, OLD);
    for (const packet of ticks.slice(0, 12)) send(OLD, packet);
    expect(used).toEqual([19, 8, 9, 10, 11]);
  });

  it('tells what was missed', () => {
    const { slot, splices, used, send } = rig();
    send(OLD, first);
    splices.reopened(slot, OLD);
    send(OLD, bare(third));
    send(OLD, third);
    expect(used).toEqual([0, 2]);
  });

  it('in a mode that the broker never takes up is used all the same', () => {
    const { used, send } = rig();
    const ticks = ticksOf([1, 1, 1, 1, 1, 1]);
    for (const packet of ticks) send(OLD, bare(packet));
    expect(used).toEqual([3, 4, 5]);
  });

  it('in ltp mode tells a changed price and no other', () => {
    const { slot, splices, used, send } = rig('ltp');
    send(OLD, bare(fullPacket(TOKEN, { last_price: 5 })));
    send(OLD, ltpPacket(TOKEN, 5));
    splices.handOver(slot, NEW);
    send(NEW, ltpPacket(TOKEN, 5));
    expect(slot.link).toBe(NEW);
    send(NEW, ltpPacket(TOKEN, 6));
    send(OLD, ltpPacket(TOKEN, 6));
    expect(used).toEqual([5, 6]);
    splices.finish(slot, NEW);
    expect(splices.repeated.not_home).toBe(1);
  });

  it('of a link that nobody follows any more is passed over', () => {
    const { used, send } = rig();
    send(OLD, first);
    send(NEW, second);
    expect(used).toEqual([0]);
  });
});
