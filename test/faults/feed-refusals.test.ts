import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_REDIS, redisServer, until } from '#test/support/processes.ts';
import { simulatorInstruments } from '#test/support/streamer-rig.ts';
import type { FeedFaults } from './support/feed-faults.ts';
import { FeedStage } from './support/feed-stage.ts';
import { NOTHING, type Scene } from './support/scene.ts';

const INSTRUMENTS = 60;
const DEAD_FOR_MS = process.env.FULL === '1' ? 20_000 : 1_000;

describe.skipIf(redisServer() === undefined)(
  `what the broker refuses${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let stage: FeedStage;
    let scene: Scene;
    let faults: FeedFaults;

    beforeAll(async () => {
      stage = await FeedStage.open('faults:feed-refusals');
      faults = stage.faults;
    });
    afterEach(async () => {
      await stage.curtain();
    });
    afterAll(() => stage.close());

    async function start(env: Readonly<Record<string, string>>, count = INSTRUMENTS): Promise<void> {
      scene = await stage.play(env, count);
    }

    function pool() {
      return scene.account.feed.pool;
    }

    function refusals(): number {
      return scene.account.downs.get('refused_403') ?? 0;
    }

    it('a dead session (403) is told of once, and one connection that needs it costs the other nothing', async () => {
      await start({ CONNECTION_SOFT_TARGET: '30' });
      const homes = pool().connections.map(({ wanted }) => new Set(wanted.keys()));
      expect(homes.map(({ size }) => size)).toEqual([30, 30]);
      const said = () => scene.rig.logLines.filter((line) => line.includes('session refused')).length;
      const { difference, untold } = await scene.watched(async () => {
        await faults.call('DELETE', 'sessions/SIM001');
        await faults.spoil('feed_reset', 1);
        await until(() => refusals() >= 3, 20_000, 'three refusals');
        await sleep(DEAD_FOR_MS);
        expect(said()).toBe(1);
        const access_token = await faults.newToken();
        scene.rig.accounts.session = { api_key: 'simkey', access_token, session_version: 2 };
        const isNew = () => pool().connections.every(({ sessionVersion }) => sessionVersion === 2);
        await until(isNew, 30_000, 'every connection to have the new session');
      });
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      const hit = homes.filter((home) => difference.missing.some(({ token }) => home.has(token)));
      expect(hit).toHaveLength(1);
      expect(untold).toEqual([]);
      expect(said()).toBe(1);
    });

    it('instruments past 3,000 on a connection: the number is learnt, and those refused stream on another one', async () => {
      await start({ CONNECTION_SOFT_TARGET: '3500', INSTRUMENTS_PER_CONNECTION: '3500' });
      const held = new Set(scene.account.current().keys());
      const all = await simulatorInstruments(stage.simulatorUrl);
      const more = all
        .filter((each) => each.segment === 'NFO-OPT' && !held.has(each.instrument_token))
        .slice(0, 3_100 - held.size);
      const [first] = pool().seats;
      const ofHeld = () => scene.reader.ticks().filter((tick) => held.has(tick.instrument_token));
      const places = () => pool().seats.map(({ capacity, connection }) => [capacity, connection.size]);
      // Those and the indices that they are priced on.
      const rest = () => pool().placed - 3_000;
      const isSpread = () => rest() >= 100 && places().join() === `3000,3000,3000,${rest()}`;
      const hasSeenAll = async () => {
        await sleep(300);
        const read = new Set(scene.reader.ticks().map((tick) => tick.instrument_token));
        return more.every(({ instrument_token }) => read.has(instrument_token));
      };
      const { difference, before, after } = await scene.during(async () => {
        scene.rig.subscriptions.set(more, 'full');
        await until(() => pool().connections.length === 2, 20_000, 'a second connection');
        await until(isSpread, 20_000, 'the instruments to be spread');
        await until(hasSeenAll, 30_000, 'every instrument');
      }, ofHeld);
      expect([...held].filter((token) => !first!.connection.wanted.has(token))).toEqual([]);
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      // A machine that cannot keep up folds, and says so: those before are missed at most.
      expect(difference.missing.length).toBeLessThanOrEqual(after.folded - before.folded);
      expect(scene.account.feed.upkeep.oversubscribed).toBeGreaterThan(0);
      expect(pool().unplaced).toBe(0);
      const links = (await faults.call('GET', 'feed')) as {
        connections: { user_id: string; instruments: number }[];
      };
      const own = links.connections.filter(({ user_id }) => user_id === 'SIM001');
      expect(own.map(({ instruments }) => instruments).sort()).toEqual([rest(), 3_000]);
    });

    it('a single stalled connection is asked by a second one, and replaced when that has news', async () => {
      await start({
        STALL_HOURS: 'always',
        STALL_AFTER_MS: '1500',
        STALL_ALONE_AFTER_MS: '2000',
        STALL_QUIET_GAPS: '5',
      });
      const { difference, untold } = await scene.watched(async () => {
        await faults.spoil('feed_stall', 1);
        await until(() => scene.account.downs.get('stalled') === 1, 20_000, 'the stall to be noticed');
      });
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      expect(difference.missing.length).toBeGreaterThan(0);
      expect(untold).toEqual([]);
      await until(async () => (await faults.links()) === 1, 10_000, 'the old link to be gone');
    });

    it('a single connection in a quiet market is asked once, without news, and stays', async () => {
      await start({
        STALL_HOURS: 'always',
        STALL_AFTER_MS: '1500',
        STALL_ALONE_AFTER_MS: '2000',
        STALL_QUIET_GAPS: '5',
        OVERLAP_MAX_MS: '1000',
      });
      const [connection] = pool().connections;
      const { difference } = await scene.during(async () => {
        // What a closed market shows is the last close, whose time has passed: rejected, and nobody's tick.
        await faults.call('POST', 'clock', { market: 'closed' });
        await until(async () => (await faults.links()) === 2, 20_000, 'a second link');
        await until(async () => (await faults.links()) === 1, 20_000, 'the second link to be gone');
        await sleep(2_000);
        expect(await faults.links()).toBe(1);
        await faults.call('POST', 'clock', { market: 'open' });
        await sleep(2_000);
      });
      expect(pool().connections).toEqual([connection]);
      expect([...scene.account.downs]).toEqual([]);
      expect(difference).toMatchObject(NOTHING);
    });
  },
);
