import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { FeedMode } from '#shared/market/instrument.ts';
import { NO_REDIS, redisServer, until } from '#test/support/processes.ts';
import type { FeedFaults } from './support/feed-faults.ts';
import { FeedStage } from './support/feed-stage.ts';
import { NOTHING, type Scene } from './support/scene.ts';

const TURNS = process.env.FULL === '1' ? 10 : 1;
const INSTRUMENTS = 80;
const API_KEY = 'simkey';

describe.skipIf(redisServer() === undefined)(
  `connections that change${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let stage: FeedStage;
    let scene: Scene;
    let faults: FeedFaults;
    const foreign: WebSocket[] = [];

    beforeAll(async () => {
      stage = await FeedStage.open('faults:feed-replacement');
      faults = stage.faults;
    });
    afterEach(async () => {
      for (const socket of foreign.splice(0)) socket.terminate();
      await stage.curtain();
    });
    afterAll(() => stage.close());

    async function start(env: Readonly<Record<string, string>>, count = INSTRUMENTS): Promise<void> {
      scene = await stage.play(env, count);
    }

    function pool() {
      return scene.account.feed.pool;
    }

    function sizes(): number[] {
      return pool().connections.map(({ size }) => size);
    }

    function count(cause: Parameters<typeof scene.account.downs.get>[0]): number {
      return scene.account.downs.get(cause) ?? 0;
    }

    /** The account has a new session: every connection shall have it, and no link more than before. */
    async function changeSession(): Promise<void> {
      const links = await faults.links();
      const session_version = (scene.rig.accounts.session?.session_version ?? 0) + 1;
      const access_token = await faults.newToken();
      scene.rig.accounts.session = { api_key: API_KEY, access_token, session_version };
      const isNew = () =>
        pool().connections.every(({ sessionVersion }) => sessionVersion === session_version);
      await until(isNew, 30_000, 'every connection to have the new session');
      await until(async () => (await faults.links()) === links, 10_000, 'the old links to be gone');
    }

    it.each([
      ['one', 1, '1500'],
      ['two', 2, '40'],
    ])(
      'a new token in mid-session, %s connection(s): every tick is read once and in order',
      async (_, links, softTarget) => {
        await start({ CONNECTION_SOFT_TARGET: softTarget });
        expect(pool().connections).toHaveLength(links);
        for (let turn = 0; turn < TURNS; turn += 1) {
          const { difference, before, after } = await scene.during(changeSession);
          expect(difference).toMatchObject(NOTHING);
          expect(after.rejected).toBe(before.rejected);
        }
        expect([...scene.account.downs]).toEqual([['new_session', links * TURNS]]);
        expect(pool().connections).toHaveLength(links);
        expect(scene.reader.holes).toEqual([]);
      },
    );

    it('chosen modes are kept by a replacement', async () => {
      await start({});
      const modes: FeedMode[] = ['ltp', 'quote', 'full'];
      const rows = [...scene.account.current().values()].filter(({ instrument }) => instrument.expiry !== '');
      for (const [index, mode] of modes.entries()) {
        const part = rows.filter((_row, at) => at % 3 === index).map(({ instrument }) => instrument);
        scene.rig.subscriptions.set(part, mode);
      }
      const modeOf = new Map(rows.map(({ instrument_token }, at) => [instrument_token, modes[at % 3]!]));
      const wanted = () => pool().connections[0]!.wanted;
      await until(
        () => [...modeOf].every(([token, mode]) => wanted().get(token) === mode),
        10_000,
        'the modes',
      );
      await sleep(500);
      const { envelopes } = scene.reader;
      const { length } = envelopes;
      await changeSession();
      await sleep(2_500);
      const seen = new Map<number, Set<string>>();
      for (const tick of envelopes.slice(length).flatMap(({ envelope }) => envelope.ticks)) {
        seen.set(tick.instrument_token, (seen.get(tick.instrument_token) ?? new Set()).add(tick.mode));
      }
      const told = [...modeOf].filter(([token]) => seen.has(token));
      for (const [token, mode] of told) expect([...seen.get(token)!]).toEqual([mode]);
      expect(told.length).toBeGreaterThan(INSTRUMENTS / 2);
      expect(new Set(told.map(([, mode]) => mode))).toEqual(new Set(modes));
    });

    it('a new token without a free connection: closed first, and health tells of the gap', async () => {
      await start({ MAX_CONNECTIONS: '1', RESERVE_CONNECTIONS: '0' });
      const { difference, untold } = await scene.watched(changeSession);
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      expect(untold).toEqual([]);
      expect([...scene.account.downs]).toEqual([['new_session', 1]]);
    });

    it('a replacement that is refused costs nothing: the old link goes on, and it is tried again', async () => {
      await start({ CONNECTION_SOFT_TARGET: '40', LIMIT_RETRY_MS: '1000' });
      const others = await faults.foreignLink(scene.rig.accounts.session!.access_token);
      foreign.push(others);
      const { difference } = await scene.during(async () => {
        const session_version = 2;
        scene.rig.accounts.session = { ...scene.rig.accounts.session!, session_version };
        await until(() => count('refused_429') >= 1, 20_000, 'a refusal');
        expect(sizes()).toEqual([40, 40]);
        others.terminate();
        const isNew = () =>
          pool().connections.every(({ sessionVersion }) => sessionVersion === session_version);
        await until(isNew, 30_000, 'every connection to have the new session');
      });
      expect(difference).toMatchObject(NOTHING);
    });

    it('too many connections: what has room moves, the rest waits, is counted, and comes back', async () => {
      await start({
        CONNECTION_SOFT_TARGET: '40',
        INSTRUMENTS_PER_CONNECTION: '60',
        LIMIT_RETRY_MS: '1500',
      });
      expect(sizes()).toEqual([40, 40]);
      const homes = pool().connections.map(({ wanted }) => new Set(wanted.keys()));
      const others = await faults.foreignLink(scene.rig.accounts.session!.access_token);
      foreign.push(others);
      const { difference, untold } = await scene.watched(async () => {
        await faults.arm({ kind: 'feed_hold_dead', count: 1, seconds: 4 });
        await faults.spoil('feed_reset', 1);
        await until(() => pool().unplaced === 20, 20_000, 'what has no room');
        expect(scene.rig.streamer.report()).toMatchObject({
          status: 'degraded',
          accounts: [{ unplaced: 20 }],
        });
        expect(sizes()).toEqual([60]);
        await until(() => pool().unplaced === 0 && sizes().length === 2, 30_000, 'everything to be placed');
      });
      expect(count('refused_429')).toBeGreaterThan(0);
      expect(sizes()).toEqual([60, 20]);
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      const hit = homes.filter((home) => difference.missing.some(({ token }) => home.has(token)));
      expect(hit).toHaveLength(1);
      expect(untold).toEqual([]);
    });

    it('few instruments on two connections are merged onto one: every tick is read once and in order', async () => {
      await start({ CONNECTION_SOFT_TARGET: '40', COMPACT_AFTER_MS: '1000' });
      expect(sizes()).toEqual([40, 40]);
      const tokens = pool().connections.map(({ wanted }) => [...wanted.keys()]);
      const kept = new Set([...tokens[0]!.slice(0, 10), ...tokens[1]!.slice(0, 8)]);
      const gone = tokens.flat().filter((token) => !kept.has(token));
      const ofKept = () => scene.reader.ticks().filter((tick) => kept.has(tick.instrument_token));
      const { difference } = await scene.during(async () => {
        scene.rig.subscriptions.remove(gone);
        await until(async () => (await faults.links()) === 1, 20_000, 'one link');
      }, ofKept);
      expect(sizes()).toEqual([18]);
      const missing = difference.missing.filter(({ token }) => kept.has(token));
      expect({ ...difference, missing }).toMatchObject({
        missing: [],
        doubled: 0,
        invented: 0,
        disordered: 0,
      });
      expect([...scene.account.downs]).toEqual([]);
    });
  },
);
