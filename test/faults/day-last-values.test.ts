import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import { redisNames } from '#shared/messages/channels.ts';
import { Slot } from '#streamer/enrich/slot.ts';
import { LastValues } from '#streamer/publish/last-values.ts';
import { optionRow } from '#test/support/frames.ts';
import { newLane } from '#test/support/lane.ts';
import { NO_REDIS, type OwnProcess, redisServer, startRedisProcess } from '#test/support/processes.ts';

const PREFIX = 'faults:day-last-values';
const TOKEN = 513;

describe.skipIf(redisServer() === undefined)(
  `the hash of last values${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let server: OwnProcess;
    let redis: Redis;
    let clock: ManualClock;
    let lastValues: LastValues;

    beforeAll(async () => {
      server = await startRedisProcess();
      redis = new Redis(server.url);
    });
    afterAll(async () => {
      redis.disconnect();
      await server.stop('SIGKILL');
    });
    beforeEach(async () => {
      await redis.flushall();
      clock = new ManualClock(istMs('2026-08-18', '15:39'));
      lastValues = new LastValues({
        redis,
        prefix: PREFIX,
        accountId: 'primary',
        batchers: newLane(clock.nowMs()).account.batchers,
        lease: () => 1,
        onFencedOff: () => {},
        onLost: () => {},
        isRedisWell: () => true,
        steadyMs: () => clock.nowMs(),
        nowMs: () => clock.nowMs(),
      });
      await lastValues.flush();
    });

    function slotOf(strike: number): Slot {
      const instrument = optionRow(TOKEN, { expiry: '2026-08-18', strike, type: 'CE' });
      const slot = new Slot(instrument, true, 'black_scholes_spot', { rate: 0.1, dividendYield: 0 });
      slot.packetLength = 8;
      return slot;
    }

    function end(slot: Slot): void {
      slot.removed = true;
      lastValues.removed(slot.token);
    }

    async function named(): Promise<string[]> {
      const values = await redis.hvals(redisNames(PREFIX).last);
      return values.map(
        (text) => (JSON.parse(text) as { tick: { tradingsymbol: string } }).tick.tradingsymbol,
      );
    }

    /** Lets everything go on that waits for nothing outside of this process. */
    async function untilRedisIsAwaited(): Promise<void> {
      for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    }

    it('keeps no field of a contract that ended while it was being written for the first time', async () => {
      const slot = slotOf(25_000);
      lastValues.changed(slot);
      const flushing = lastValues.flush();
      await untilRedisIsAwaited();
      end(slot);
      await flushing;
      await lastValues.flush();
      expect(await named()).toEqual([]);
    });

    it('keeps the new contract of a token whose old one is being deleted', async () => {
      const [old, next] = [slotOf(25_000), slotOf(25_050)];
      lastValues.changed(old);
      await lastValues.flush();
      // Looks whether Redis was flushed, and not again: the next one waits for nothing but the deletion.
      await lastValues.flush();
      end(old);
      const flushing = lastValues.flush();
      await untilRedisIsAwaited();
      const again = slotOf(25_000);
      lastValues.changed(again);
      end(again);
      lastValues.changed(next);
      await flushing;
      await lastValues.flush();
      await lastValues.flush();
      expect(await named()).toEqual([next.instrument.tradingsymbol]);
    });

    it('has nothing of an index that is held for pricing alone, and has it again when it is claimed again', async () => {
      const slot = slotOf(25_000);
      lastValues.changed(slot);
      slot.published = false;
      lastValues.removed(slot.token);
      await lastValues.flush();
      expect(await named()).toEqual([]);
      slot.published = true;
      expect(slot.dirty).toBe(false);
      lastValues.changed(slot);
      await lastValues.flush();
      expect(await named()).toEqual([slot.instrument.tradingsymbol]);
    });

    it('is cleared by the first who sees the day change', async () => {
      lastValues.changed(slotOf(25_000));
      await lastValues.flush();
      expect(await named()).toHaveLength(1);
      clock.advance(9 * 3_600_000);
      await lastValues.flush();
      expect(await named()).toEqual([]);
    });
  },
);
