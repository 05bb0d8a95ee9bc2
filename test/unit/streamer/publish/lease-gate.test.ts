import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import type { Slot } from '#streamer/enrich/slot.ts';
import { type Batch, ChannelBatcher } from '#streamer/publish/batcher.ts';
import { leaseGate } from '#streamer/publish/lease-gate.ts';
import { PayloadPool } from '#streamer/publish/payload-pool.ts';
import { frameOf, instrumentRow, ltpPacket } from '#test/support/frames.ts';
import { newLane } from '#test/support/lane.ts';

const NOW_MS = istMs('2026-08-18', '11:00');
const EQUITY = instrumentRow({ instrument_token: 257, tradingsymbol: 'E' });

describe('while nobody knows whether the lease is held', () => {
  it('ticks wait and fold instead of being dropped, and leave once it is known', () => {
    const lane = newLane(NOW_MS);
    lane.claim([EQUITY], 'ltp');
    lane.account.pipeline.frame(frameOf([ltpPacket(257, 100)]));
    const slot = [...lane.account.slots].find((each: Slot) => each.token === 257)!;
    lane.account.close();

    const batches: Batch[] = [];
    const sink = { isIdle: true, accepts: true, publish: (batch: Batch) => void batches.push(batch) };
    let lease: number | undefined = 7;
    const batcher = new ChannelBatcher(
      {
        accountId: 'primary',
        channel: 'equities',
        lease: () => lease,
        nowMs: () => NOW_MS,
        steadyMs: () => NOW_MS,
      },
      { maxTicks: 1, idleEnvelopeMs: 1_000, keepSnapshots: false },
      leaseGate(sink, () => lease),
      new PayloadPool(),
    );
    lease = undefined;
    for (let tick = 0; tick < 4; tick += 1) batcher.add(slot);
    batcher.flush();
    expect(batches).toEqual([]);
    expect([batcher.backlog, batcher.discardedTotal]).toEqual([2, 0]);
    lease = 7;
    batcher.flush();
    expect(batches.map(({ seq, ticks }) => [seq, ticks])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(batcher.foldedTotal).toBe(2);
  });
});
