import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '#streamer/config.ts';
import type { DisconnectCause } from '#streamer/feed/causes.ts';
import type { ConnectionReport } from '#streamer/feed/report.ts';
import type { Seat } from '#streamer/feed/seat.ts';
import { NO_REDIS, redisServer, until } from '#test/support/processes.ts';
import type { Difference } from './support/compare.ts';
import type { FeedFaults } from './support/feed-faults.ts';
import { FeedStage } from './support/feed-stage.ts';
import { NOTHING, type Scene } from './support/scene.ts';

const IS_FULL = process.env.FULL === '1';
const LASTING_S = IS_FULL ? 20 : 1;
const INSTRUMENTS = 80;
/** Whether a reset is seen as an error or as an end is up to the network. */
const LOST: readonly DisconnectCause[] = ['network', 'closed_by_broker'];
/** Two connections of 40 each, and a reserve. */
const ENV = { CONNECTION_SOFT_TARGET: '40', INSTRUMENTS_PER_CONNECTION: '100', STALL_HOURS: 'always' };
/** The service's own times, else short ones. */
const { FEED_SILENCE_MS, STALL_AFTER_MS, STALL_FLOW_WINDOW_MS, RECONNECT_MAX_MS } = readConfig({
  REDIS_URL: 'redis://127.0.0.1:1',
  ...(IS_FULL
    ? {}
    : {
        FEED_SILENCE_MS: '3000',
        STALL_AFTER_MS: '3000',
        STALL_FLOW_WINDOW_MS: '30000',
        RECONNECT_MAX_MS: '500',
      }),
});
const TIMES = { FEED_SILENCE_MS, STALL_AFTER_MS, STALL_FLOW_WINDOW_MS, RECONNECT_MAX_MS };

describe.skipIf(redisServer() === undefined)(
  `one of two connections breaks${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let stage: FeedStage;
    let scene: Scene;
    let faults: FeedFaults;

    beforeAll(async () => {
      stage = await FeedStage.open('faults:feed-connections');
      faults = stage.faults;
      const times = Object.entries(TIMES).map(([name, ms]) => [name, String(ms)]);
      scene = await stage.play({ ...ENV, ...Object.fromEntries(times) }, INSTRUMENTS);
    });
    beforeEach(async () => {
      await until(() => scene.rig.streamer.report().status === 'ok', 20_000, 'health to be ok');
      expect(seats().map(({ connection }) => connection.size)).toEqual([40, 40]);
    });
    afterEach(() => faults.clear());
    afterAll(async () => {
      await stage.curtain();
      await stage.close();
    });

    function seats(): readonly Seat[] {
      return scene.account.feed.pool.seats;
    }

    /** How often each seat's connection ended for one of these causes. */
    function times(causes: readonly DisconnectCause[]): number[] {
      const of = (seat: Seat) => causes.reduce((sum, cause) => sum + (seat.downs.get(cause) ?? 0), 0);
      return seats().map(of);
    }

    /** Something happens to one of the connections: whatever is missing was its own, and nothing came twice. */
    async function expectOthersWhole(
      causes: readonly DisconnectCause[],
      happening: () => Promise<void>,
    ): Promise<Difference> {
      const before = times(causes);
      const shown = scene.account.feed.report().connections;
      const homes = seats().map(({ connection }) => new Set(connection.wanted.keys()));
      const {
        difference,
        untold,
        before: totals,
        after,
      } = await scene.watched(async () => {
        await happening();
        await until(() => times(causes).join() !== before.join(), 30_000, `a connection that is ${causes}`);
        await until(() => seats().every(({ isOpen }) => isOpen), RECONNECT_MAX_MS + 20_000, 'both open');
      });
      const hit = times(causes).findIndex((count, index) => count > before[index]!);
      expect(times(causes).map((count, index) => (index === hit ? 0 : count - before[index]!))).toEqual([
        0, 0,
      ]);
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      expect(difference.missing.filter(({ token }) => !homes[hit]!.has(token))).toEqual([]);
      expect(untold).toEqual([]);
      expect(scene.reader.holes).toEqual([]);
      expect(after.folded).toBe(totals.folded);
      expectShown(shown, hit, causes);
      return difference;
    }

    /** Health tells what happened to the connection that was hit, and nothing new of the other one. */
    function expectShown(
      before: readonly ConnectionReport[],
      hit: number,
      causes: readonly DisconnectCause[],
    ): void {
      for (const [index, now] of scene.account.feed.report().connections.entries()) {
        const { reconnects, stalled, connected_since, causes: known } = before[index]!;
        const isHit = index === hit;
        const more = (cause: DisconnectCause) => (now.causes[cause] ?? 0) - (known[cause] ?? 0);
        expect(causes.some((cause) => more(cause) > 0)).toBe(isHit);
        expect(now.reconnects > reconnects).toBe(isHit);
        expect(now.stalled - stalled).toBe(more('stalled'));
        expect(Date.parse(now.connected_since!) > Date.parse(connected_since!)).toBe(isHit);
        expect(now).toMatchObject({ state: 'open', instruments: 40, session_version: 1 });
      }
    }

    it('reset', async () => {
      await expectOthersWhole(LOST, () => faults.spoil('feed_reset', 1));
    });

    it('cut in the middle of a frame', async () => {
      await expectOthersWhole(LOST, () => faults.spoil('feed_cut_frame', 1));
    });

    it('stalled: only heartbeats come, the other one moves, and it is replaced', async () => {
      const difference = await expectOthersWhole(['stalled'], () => faults.spoil('feed_stall', 1));
      expect(difference.missing.length).toBeGreaterThan(0);
      expect(await faults.links()).toBe(2);
    });

    it('without heartbeats', async () => {
      // Silent for 3 s is also without a tick for 3 s: either rule may see it first.
      await expectOthersWhole(['silent', 'stalled'], async () => {
        await faults.arm({ kind: 'feed_no_heartbeat', count: 1 });
        await faults.spoil('feed_stall', 1);
      });
    });

    it.each([
      [400, 'refused_400'],
      [503, 'refused_5xx'],
    ] as const)('reset, and refused with %d for a while', async (status, cause) => {
      await expectOthersWhole([cause], async () => {
        await faults.arm({ kind: 'feed_refuse', status, seconds: LASTING_S });
        await faults.spoil('feed_reset', 1);
        await sleep(LASTING_S * 1_000);
      });
    });

    it('dead, and still counted at the broker: the reserve takes its place', async () => {
      const refused = scene.account.downs.get('refused_429') ?? 0;
      await expectOthersWhole(LOST, async () => {
        await faults.arm({ kind: 'feed_hold_dead', count: 1, seconds: 3 });
        await faults.spoil('feed_reset', 1);
      });
      expect(scene.account.downs.get('refused_429') ?? 0).toBe(refused);
    });

    // The last one: what the exchange sends at its close carries a time long past, where no comparison may begin.
    it('both at rest with the market: heartbeats alone are no stall', async () => {
      const before = times(['stalled']);
      await faults.call('POST', 'clock', { market: 'closed' });
      const links = seats().map(({ connection }) => connection.id);
      await sleep(STALL_AFTER_MS * 1.5);
      expect(times(['stalled'])).toEqual(before);
      expect(seats().map(({ connection }) => connection.id)).toEqual(links);
      await faults.call('POST', 'clock', { market: 'open' });
    });
  },
);
