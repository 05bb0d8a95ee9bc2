import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/processes.ts';
import { Fleet, type FleetOutcome, fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import { NOTHING } from './support/scene.ts';

const problem = fleetProblem();
const IS_FULL = process.env.FULL === '1';
/** Leases of a fleet under test last 4 s. */
const AWAY_MS = IS_FULL ? 180_000 : 7_000;
const TROUBLED_MS = IS_FULL ? 60_000 : 5_000;
const LONG = { timeout: AWAY_MS + TROUBLED_MS + 180_000 };
const HOUR_MS = 3_600_000;
/** An hour later is the same day's, and the same session's, whenever the test runs. */
const SIMULATOR_ARGS = ['--market', 'open', '--now', '2026-11-25T10:00:00+05:30'];

describe.skipIf(problem !== undefined)(
  `leases while the table has trouble${problem ? `: ${problem}` : ''}`,
  () => {
    let aws: FleetAws;
    let fleet: Fleet;

    beforeAll(async () => {
      aws = await startAws('faults-lease-table');
      fleet = await Fleet.start({
        aws,
        name: 'table',
        accounts: 4,
        streamers: 2,
        instruments: 80,
        simulatorArgs: SIMULATOR_ARGS,
        env: { SHUTDOWN_TIMEOUT_MS: '2000' },
      });
      await divided();
    });
    afterAll(async () => {
      await fleet?.stop();
      await aws?.stop();
    });

    async function divided(): Promise<void> {
      const isDivided = async () => {
        const held = await Promise.all(fleet.streamers.map((streamer) => streamer.held()));
        return held.every((accounts) => accounts.size === 2);
      };
      await until(isDivided, 30_000, 'two accounts each');
    }

    async function leases(): Promise<(readonly [string, number])[]> {
      const held = await Promise.all(fleet.streamers.map((streamer) => streamer.held()));
      return held.flatMap((accounts) => [...accounts]).sort();
    }

    async function health(): Promise<(string | undefined)[]> {
      return Promise.all(fleet.streamers.map(async (streamer) => (await streamer.health())?.status));
    }

    const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

    it(
      'gone for longer than leases last: nothing changes for what streams, then and when it is back',
      LONG,
      async () => {
        const before = await leases();
        const { difference } = await fleet.during(async () => {
          for (const network of fleet.networks) {
            await network.setMode({ kind: 'refuse' });
            network.cut();
          }
          await pause(AWAY_MS);
          expect(await leases()).toEqual(before);
          expect(await health()).toEqual(['degraded', 'degraded']);
          for (const network of fleet.networks) await network.setMode({ kind: 'pass' });
          await until(
            async () => (await health()).every((status) => status === 'ok'),
            30_000,
            'health to be ok',
          );
          await pause(4_500);
        });
        expect(difference).toMatchObject(NOTHING);
        expect(await leases()).toEqual(before);
        expect(fleet.reader.late).toEqual([]);
      },
    );

    it('hanging for one streamer alone: the other takes over, and the first stops when Redis says so', async () => {
      const [staying] = fleet.streamers;
      const [, network] = fleet.networks;
      const { difference, explained } = await fleet.during(async () => {
        await network!.setMode({ kind: 'stall' });
        await until(async () => (await staying!.held()).size === 4, 60_000, 'all accounts to be taken');
        await until(
          async () => (await fleet.streamers[1]!.held()).size === 0,
          20_000,
          'the other one to stop',
        );
        await network!.setMode({ kind: 'pass' });
        network!.cut();
        await divided();
      });
      expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
      expect(explained).toMatchObject({ hole: 0, unexplained: [] });
      expect(fleet.reader.late).toEqual([]);
    });

    it('throttled, answering twice and losing answers, while a streamer goes and comes', LONG, async () => {
      const before = await leases();
      const { difference, explained } = await fleet.during(async () => {
        fleet.awsProxy.arm({ fault: { kind: 'throttle' }, probability: 0.2 });
        fleet.awsProxy.arm({ fault: { kind: 'twice' }, probability: 0.25 });
        fleet.awsProxy.arm({ fault: { kind: 'lost_answer', ms: 20 }, probability: 0.15 });
        await pause(TROUBLED_MS);
        const steady = await leases();
        expect(steady.map(([account]) => account)).toEqual(before.map(([account]) => account));
        await fleet.streamers[1]!.terminate();
        await fleet.streamers[1]!.start();
        await divided();
        expect(fleet.awsProxy.hits('twice')).toBeGreaterThan(0);
        expect(fleet.awsProxy.hits('throttle')).toBeGreaterThan(0);
        expect(fleet.awsProxy.hits('lost_answer')).toBeGreaterThan(0);
        fleet.awsProxy.clear();
      });
      expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
      expect(explained).toMatchObject({ hole: 0, unexplained: [] });
      expect(fleet.reader.late).toEqual([]);
    });

    async function count(name: string): Promise<number> {
      const counts = await Promise.all(fleet.streamers.map((streamer) => streamer.counter(name)));
      return counts.reduce((a, b) => a + b, 0);
    }

    /** `jump` sets the market clock, and compares everything sent since. */
    async function expectHarmless(jump: () => Promise<FleetOutcome>): Promise<void> {
      await fleet.settled();
      const before = await leases();
      const lost = await count('websocket_reconnects_total');
      const rejected = await count('ticks_rejected_total');
      const { difference, explained } = await jump();
      expect(difference.sent).toBeGreaterThan(0);
      expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
      // What streamers take for a wrong time at first they count.
      expect(difference.missing.length).toBeLessThanOrEqual((await count('ticks_rejected_total')) - rejected);
      expect(fleet.story(explained.unexplained)).toEqual([]);
      expect(fleet.reader.late).toEqual([]);
      expect(await leases()).toEqual(before);
      expect(await count('websocket_reconnects_total')).toBe(lost);
    }

    it('a market clock that jumps by an hour moves no lease and breaks no link', () =>
      expectHarmless(() =>
        fleet.during(async () => {
          await fleet.setClock({ now: fleet.clock.nowMs() + HOUR_MS });
          await pause(2_000);
        }),
      ));

    // An instrument's earlier times are believed after REBASE_AFTER_REJECTS packets, and some have one in five seconds.
    it.runIf(IS_FULL)('nor does one that jumps back by an hour', LONG, () =>
      expectHarmless(async () => {
        const backMs = fleet.clock.nowMs() - HOUR_MS;
        await fleet.setClock({ now: backMs });
        const fromS = Math.ceil(backMs / 1_000);
        const isEarlier = () => fleet.newestSentS() < fromS + HOUR_MS / 2_000;
        await until(isEarlier, 60_000, 'every instrument to tick at the earlier time');
        return fleet.compare({ fromS, toS: await fleet.settled(120_000) });
      }),
    );

    it.runIf(IS_FULL)(
      'hanging at the end: a streamer that cannot give its leases back ends all the same',
      async () => {
        const [alone, ending] = fleet.streamers;
        const [first, second] = fleet.networks;
        await second!.setMode({ kind: 'stall' });
        expect(await ending!.terminate()).toBeLessThanOrEqual(ending!.stopLimitMs);
        await until(async () => (await alone!.held()).size === 4, 30_000, 'its leases to run out');
        await first!.setMode({ kind: 'stall' });
        expect(await alone!.terminate()).toBeLessThanOrEqual(alone!.stopLimitMs);
      },
    );
  },
);
