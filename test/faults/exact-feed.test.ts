import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_REDIS, redisServer, until } from '#test/support/processes.ts';
import { simulatorInstruments } from '#test/support/streamer-rig.ts';
import type { Difference } from './support/compare.ts';
import { FeedStage } from './support/feed-stage.ts';
import { NOTHING, type Scene } from './support/scene.ts';

const LASTING_S = process.env.FULL === '1' ? 30 : 3;

describe.skipIf(redisServer() === undefined)(
  `with a broken feed, reader against exchange${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let stage: FeedStage;
    let scene: Scene;

    beforeAll(async () => {
      stage = await FeedStage.open('faults:exact-feed');
      scene = await stage.play({ FEED_SILENCE_MS: '2500' }, 80);
    });
    afterEach(() => stage.faults.clear());
    afterAll(async () => {
      await stage.curtain();
      await stage.close();
    });

    function rejected(reason: 'unknown_length' | 'no_index_price'): number {
      return scene.account.pipeline.counts.rejected[reason];
    }

    it('nothing happens: every tick is read once and in order', async () => {
      const { difference, before, after } = await scene.during(async () => {});
      expect(difference).toMatchObject(NOTHING);
      expect(after.folded - before.folded + after.rejected - before.rejected).toBe(0);
    });

    it('unknown packets: counted one by one, and no tick beside them is lost', async () => {
      const unknown = rejected('unknown_length');
      const { difference } = await scene.during(() => stage.faults.spoil('feed_unknown_packet', 5));
      expect(difference).toMatchObject(NOTHING);
      expect(rejected('unknown_length') - unknown).toBe(5);
    });

    it.each(['feed_oversize_frame', 'feed_duplicate'])('%s: doubles and nothing else', async (kind) => {
      const { difference, before, after } = await scene.during(() => stage.faults.spoil(kind, 3));
      expect(difference).toMatchObject({ ...NOTHING, doubled: expect.any(Number) });
      expect(difference.doubled).toBeGreaterThan(0);
      expect(after.rejected).toBe(before.rejected);
    });

    it('disorder: what came too late is counted as rejected, tick for tick', async () => {
      const { difference, before, after } = await scene.during(async () => {
        await stage.faults.spoil('feed_disorder', 2);
        await sleep(1_500);
      });
      expect(difference).toMatchObject({ ...NOTHING, missing: expect.any(Array) });
      expect(difference.missing.length).toBe(after.rejected - before.rejected);
      expect(difference.missing.length).toBeGreaterThan(0);
    });

    it('prices of zero: read as they came, but not those of an index', async () => {
      const index = rejected('no_index_price');
      const { difference } = await scene.during(() => stage.faults.spoil('feed_zero_price', 30));
      expect(difference.missing.length).toBe(difference.invented + rejected('no_index_price') - index);
      expect(difference.missing.length).toBeGreaterThan(0);
      // An instrument whose newest tick came without a price keeps it: `stale` may count it.
      expect(difference.doubled).toBe(0);
    });

    async function expectLossesToldByHealth(happening: () => Promise<void>): Promise<Difference> {
      const { difference, untold } = await scene.watched(happening);
      expect(difference).toMatchObject({ invented: 0, disordered: 0 });
      expect(untold).toEqual([]);
      expect(scene.reader.holes).toEqual([]);
      return difference;
    }

    it.each([
      ['reset', 'feed_reset'],
      ['cut in the middle of a frame', 'feed_cut_frame'],
    ])('a link %s: nothing is lost but in the seconds for which health said so', async (_what, kind) => {
      const downs = scene.account.downs.get('network') ?? 0;
      const closed = scene.account.downs.get('closed_by_broker') ?? 0;
      const { stale } = await expectLossesToldByHealth(() => stage.faults.spoil(kind, 1));
      expect(stale).toBe(0);
      const { account } = scene;
      const now = (account.downs.get('network') ?? 0) + (account.downs.get('closed_by_broker') ?? 0);
      expect(now).toBe(downs + closed + 1);
    });

    it('a stall: heartbeats go on, and the time of the last tick in health tells what is missing', async () => {
      const { missing } = await expectLossesToldByHealth(async () => {
        await stage.faults.arm({ kind: 'feed_stall', seconds: LASTING_S });
        await sleep(LASTING_S * 1_000);
      });
      // The link stays up, so nothing is sent again: an instrument that seldom trades is behind until it does.
      expect(missing.length).toBeGreaterThan(0);
    });

    it('silence: the link is given up, and health tells what is missing', async () => {
      const silent = scene.account.downs.get('silent') ?? 0;
      const { stale, missing } = await expectLossesToldByHealth(async () => {
        await stage.faults.arm({ kind: 'feed_stall', seconds: 60 });
        await stage.faults.arm({ kind: 'feed_no_heartbeat', seconds: 60 });
        await until(() => (scene.account.downs.get('silent') ?? 0) > silent, 20_000, 'silence to be noticed');
        await stage.faults.clear();
      });
      expect(stale).toBe(0);
      expect(missing.length).toBeGreaterThan(0);
    });

    it('500 subscriptions at once and 500 removals at once: the others miss nothing', async () => {
      const held = new Set(scene.account.current().keys());
      const all = await simulatorInstruments(stage.simulatorUrl);
      const more = all
        .filter((each) => each.segment === 'NFO-OPT' && !held.has(each.instrument_token))
        .slice(0, 500);
      expect(more).toHaveLength(500);
      const tokens = more.map((each) => each.instrument_token);
      const ofHeld = () => scene.reader.ticks().filter((tick) => held.has(tick.instrument_token));
      const hasSeenAll = async () => {
        await sleep(200);
        const seen = new Set(scene.reader.ticks().map((tick) => tick.instrument_token));
        return tokens.every((token) => seen.has(token));
      };
      const { difference, before, after } = await scene.during(async () => {
        scene.rig.subscriptions.set(more, 'full');
        await until(() => scene.account.subscriptions === held.size + 500, 20_000, 'the new ones');
        await until(hasSeenAll, 20_000, 'a tick of each');
        scene.rig.subscriptions.remove(tokens);
        await until(() => scene.account.subscriptions === held.size, 20_000, 'the removals');
      }, ofHeld);
      expect(difference).toMatchObject(NOTHING);
      expect(after.folded).toBe(before.folded);
    });
  },
);
