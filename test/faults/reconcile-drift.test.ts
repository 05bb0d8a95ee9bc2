import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Instrument } from '#shared/market/instrument.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { liveInstruments, Scene } from './support/scene.ts';

const missing = redisServer() === undefined ? `: ${NO_REDIS}` : '';
const IS_FULL = process.env.FULL === '1';
/** Between two comparisons of everything; the service's own times in full runs. */
const COMPARE_MS = IS_FULL ? 300_000 : 400;
const MARK_MS = IS_FULL ? 2_000 : 200;
const WAIT_MS = COMPARE_MS + 15_000;
/** There and back again: long enough for a comparison to see them. */
const [CHANGES, EACH_CHANGE_MS] = IS_FULL ? [32, 10_000] : [12, COMPARE_MS / 3];
const TIMEOUT_MS = 3 * COMPARE_MS + 120_000;

describe.skipIf(redisServer() === undefined)(
  `what streams differs from what shall${missing}`,
  { timeout: TIMEOUT_MS },
  () => {
    let simulator: OwnProcess;
    let redis: OwnProcess;
    let scene: Scene;
    let instruments: Instrument[];

    beforeAll(async () => {
      [simulator, redis] = await Promise.all([
        startSimulatorProcess(['--market', 'open']),
        startRedisProcess(),
      ]);
      instruments = await liveInstruments(simulator.url, 30);
      scene = await Scene.start({
        simulatorUrl: simulator.url,
        prefix: 'faults:drift',
        instruments,
        streamerRedisUrl: redis.url,
        readerRedisUrl: redis.url,
        env: { RECONCILE_FULL_MS: String(COMPARE_MS), RECONCILE_MARK_MS: String(MARK_MS) },
      });
    });
    afterAll(async () => {
      await scene.stop();
      await Promise.all([simulator.stop(), redis.stop('SIGKILL')]);
    });

    async function counted(): Promise<Record<string, number>> {
      const text = await scene.rig.streamer.metrics.registry.metrics();
      const samples = text.matchAll(
        /^reconciliation_drift_total\{account_id="primary",kind="(\w+)"\} (\d+)$/gm,
      );
      return Object.fromEntries([...samples].map(([, kind, value]) => [kind!, Number(value)]));
    }

    const readOf = (token: number) =>
      scene.reader.ticks().filter((tick) => tick.instrument_token === token).length;

    async function streamsAgain(token: number): Promise<void> {
      const before = readOf(token);
      await until(() => readOf(token) > before + 1, WAIT_MS, 'its ticks');
    }

    it('ordinary changes are no drift, however many comparisons see them', async () => {
      const more = (await liveInstruments(simulator.url, 60)).slice(30);
      for (let change = 0; change < CHANGES; change += 1) {
        if (change % 2 === 1) scene.rig.subscriptions.remove(more.map((each) => each.instrument_token));
        else scene.rig.subscriptions.set(more, change % 4 === 0 ? 'full' : 'quote');
        await sleep(EACH_CHANGE_MS);
      }
      await until(() => scene.account.subscriptions === 30, WAIT_MS, 'the changes to be followed');
      // What a comparison suspects counts with the next look at the mark.
      await sleep(IS_FULL ? 3 * MARK_MS : 3 * COMPARE_MS);
      expect(await counted()).toEqual({ not_streaming: 0, not_wanted: 0, wrong_mode: 0 });
    });

    it('connections that carry something else: put right, counted, and the others miss nothing', async () => {
      const [dropped, lowered] = instruments.slice(3, 5).map(({ instrument_token }) => instrument_token);
      const all = await liveInstruments(simulator.url, 90);
      const stray = all.at(-1)!.instrument_token;
      const [connection] = scene.account.feed.pool.connections;
      const { difference } = await scene.during(async () => {
        connection!.change(new Map([[lowered!, 'ltp']]), [dropped!]);
        connection!.change(new Map([[stray, 'full']]), []);
        const isCounted = async () => Object.values(await counted()).every((value) => value === 1);
        await until(isCounted, WAIT_MS, 'each difference to be counted once');
        await streamsAgain(dropped!);
      });
      expect(difference.missing.filter(({ token }) => token !== dropped && token !== lowered)).toEqual([]);
      expect(difference.sent).toBeGreaterThan(28);
      expect([connection!.wanted.has(stray), connection!.wanted.get(lowered!)]).toEqual([false, 'full']);
    });

    it('rows that changed without their mark: followed by the full comparison, and counted', async () => {
      const before = await counted();
      const { subscriptions } = scene.rig;
      const mark = await subscriptions.dirtyMark();
      subscriptions.dirtyMark = async () => mark;
      const [more] = (await liveInstruments(simulator.url, 100)).slice(-1);
      subscriptions.set([more!], 'full');
      subscriptions.remove([instruments[6]!.instrument_token]);
      await streamsAgain(more!.instrument_token);
      const wanted = {
        ...before,
        not_streaming: before.not_streaming! + 1,
        not_wanted: before.not_wanted! + 1,
      };
      await until(
        async () => (await counted()).not_wanted === wanted.not_wanted,
        WAIT_MS,
        'the drift to be counted',
      );
      expect(await counted()).toEqual(wanted);
      expect(scene.account.current().has(instruments[6]!.instrument_token)).toBe(false);
    });
  },
);
