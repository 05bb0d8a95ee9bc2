import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '#local/fault-proxy/proxy.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { redisNames } from '#shared/messages/channels.ts';
import type { LastValue } from '#shared/messages/envelope.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { Recorder } from '#test/support/recorder.ts';
import { liveInstruments, NOTHING, Scene } from './support/scene.ts';
import { keyOf } from './support/tick-key.ts';

const OUTAGE_MS = process.env.FULL === '1' ? 30_000 : 3_000;
const PREFIX = 'faults:exact-redis';
const TRICKLE_BYTES_PER_S = 40_000;

describe.skipIf(redisServer() === undefined)(
  `with a broken Redis, reader against exchange${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let redis: OwnProcess;
    let instruments: Instrument[];
    let toStreamer: FaultProxy;
    let toReader: FaultProxy;
    let scene: Scene;

    beforeAll(async () => {
      simulator = await startSimulatorProcess(['--market', 'open']);
      instruments = await liveInstruments(simulator.url, 80);
    });
    afterAll(() => simulator.stop());

    beforeEach(async () => {
      redis = await startRedisProcess();
      toStreamer = await startFaultProxy({ targetPort: redis.port });
      toReader = await startFaultProxy({ targetPort: redis.port });
      scene = await Scene.start({
        simulatorUrl: simulator.url,
        prefix: PREFIX,
        instruments,
        streamerRedisUrl: `redis://127.0.0.1:${toStreamer.port}`,
        readerRedisUrl: redis.url,
        // So few that a short outage already folds.
        env: {
          BATCH_MAX_TICKS: '10',
          SINK_MAX_BATCHES: '2',
          SINK_TIMEOUT_MS: '1500',
          SINK_BREAKER_OPEN_MS: '1000',
        },
      });
    });
    afterEach(async () => {
      await scene.stop();
      await Promise.all([toStreamer.close(), toReader.close()]);
      await redis.stop('SIGKILL');
    });

    /** Nothing is missing but what was folded, and the envelopes told how much that was. */
    async function expectOnlyFolded(happening: () => Promise<void>): Promise<void> {
      const told = scene.reader.folded;
      const { difference, before, after } = await scene.during(happening);
      const folded = after.folded - before.folded;
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      expect(folded).toBeGreaterThan(0);
      expect(difference.missing.length).toBe(folded);
      expect(scene.reader.folded - told).toBe(folded);
      expect(after.rejected).toBe(before.rejected);
      expect(scene.reader.holes).toEqual([]);
    }

    it('hung: what is missing was folded, tick for tick', async () => {
      await expectOnlyFolded(async () => {
        redis.child.kill('SIGSTOP');
        await sleep(OUTAGE_MS);
        redis.child.kill('SIGCONT');
      });
    });

    it('slow: what is missing was folded, tick for tick', async () => {
      await expectOnlyFolded(async () => {
        await toStreamer.setMode({ kind: 'trickle', bytesPerSecond: TRICKLE_BYTES_PER_S });
        await sleep(OUTAGE_MS);
        await toStreamer.setMode({ kind: 'pass' });
      });
    });

    it('not to be reached: refused and cut off, what is missing was folded, tick for tick', async () => {
      await expectOnlyFolded(async () => {
        await toStreamer.setMode({ kind: 'refuse' });
        toStreamer.cut();
        await until(() => scene.rig.streamer.report().status === 'critical', 5_000, 'health to tell');
        await sleep(OUTAGE_MS);
        await toStreamer.setMode({ kind: 'pass' });
      });
    });

    it('refusing the password: what is missing was folded, tick for tick', async () => {
      const admin = new Redis(redis.url);
      await expectOnlyFolded(async () => {
        await admin.config('SET', 'requirepass', 'secret');
        toStreamer.cut();
        await until(() => scene.rig.streamer.report().status === 'critical', 5_000, 'health to tell');
        await sleep(OUTAGE_MS);
        await admin.config('SET', 'requirepass', '');
      });
      admin.disconnect();
    });

    it('stopped and started again: what is missing was folded, or lies in the holes that seq shows', async () => {
      const { difference, before, after } = await scene.during(async () => {
        await redis.stop('SIGKILL');
        await until(() => scene.rig.streamer.report().status === 'critical', 5_000, 'health to tell');
        await sleep(OUTAGE_MS);
        redis = await startRedisProcess({ port: redis.port });
      });
      const { reader } = scene;
      const lost = () => reader.holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
      // What was published last may be under way.
      const isRead = () => scene.totals().envelopes === reader.envelopes.length + lost();
      await until(isRead, 10_000, 'every envelope to be read, or to be missing by its number');
      const lostEnvelopes = lost();
      const lostTicks = scene.totals().published - reader.ticks().length;
      expect(difference).toMatchObject({ doubled: 0, invented: 0, disordered: 0 });
      // An instrument's newest tick may lie in a hole too: this reader asks neither the log nor the last values.
      expect(difference.stale).toBeLessThanOrEqual(lostTicks);
      expect(difference.missing.length).toBe(after.folded - before.folded + lostTicks);
      if (lostEnvelopes === 0) expect(lostTicks).toBe(0);
    });

    it('flushed: no tick is lost, and every last value comes back by itself', async () => {
      const last = redisNames(PREFIX).last;
      const admin = new Redis(redis.url);
      const { difference } = await scene.during(async () => {
        await until(async () => (await admin.hlen(last)) === instruments.length, 10_000, 'the hash');
        await admin.flushall();
        await until(async () => (await admin.hlen(last)) === instruments.length, 10_000, 'the values');
      });
      expect(difference).toMatchObject(NOTHING);
      expect(scene.reader.holes).toEqual([]);
      const values = Object.entries(await admin.hgetall(last));
      admin.disconnect();
      for (const [token, text] of values) {
        const { tick } = JSON.parse(text) as LastValue;
        expect(scene.tap.sent.get(Number(token))).toContain(keyOf(tick));
      }
    });

    it('a reader frozen, and one frozen until its link was lost, have every tick in the end', async () => {
      const frozen = new Recorder({ redisUrl: `redis://127.0.0.1:${toReader.port}`, prefix: PREFIX });
      const ticks = () => frozen.envelopes.flatMap((envelope) => envelope.ticks);
      await until(() => frozen.envelopes.length > 5, 10_000, 'the reader to read');
      await sleep(1_000);
      for (const isCut of [false, true]) {
        const { difference } = await scene.during(async () => {
          await toReader.setMode({ kind: 'stall' });
          await sleep(OUTAGE_MS);
          if (isCut) toReader.cut();
          await toReader.setMode({ kind: 'pass' });
        }, ticks);
        expect(difference).toMatchObject(NOTHING);
      }
      expect(frozen.envelopes.some(({ source }) => source === 'log')).toBe(true);
      expect(frozen.missed).toBe(0);
      await frozen.stop();
    });
  },
);
