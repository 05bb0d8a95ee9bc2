import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '#local/fault-proxy/proxy.ts';
import { redisNames } from '#shared/messages/channels.ts';
import { until } from '#test/support/processes.ts';
import { Fleet, type FleetOutcome, fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import type { FleetAccount } from './support/fleet-control.ts';
import type { FleetStreamer } from './support/fleet-streamer.ts';

const problem = fleetProblem();
const IS_FULL = process.env.FULL === '1';
const LEASE_TTL_MS = IS_FULL ? 10_000 : 4_000;
/** By the issue, with leases of 10 s. */
const TAKE_OVER_MS = 15_000;
const ENV = IS_FULL
  ? { LEASE_TTL_MS: String(LEASE_TTL_MS), LEASE_RENEW_MS: '3000', LEASE_SAFETY_MS: '1000' }
  : { LEASE_TTL_MS: String(LEASE_TTL_MS) };

describe.skipIf(problem !== undefined)(
  `streamers that lose their leases${problem ? `: ${problem}` : ''}`,
  () => {
    let aws: FleetAws;
    let fleet: Fleet;
    /** The first streamer's way to Redis. */
    let redisProxy: FaultProxy;
    let redis: Redis;

    beforeAll(async () => {
      aws = await startAws('faults-lease-lost');
      const options = { aws, name: 'lost', accounts: 2, instruments: 80, env: ENV };
      fleet = await Fleet.start({ ...options, streamers: 1 });
      redisProxy = await startFaultProxy({ targetPort: fleet.redis.port });
      await fleet.addStreamer({ REDIS_URL: `redis://127.0.0.1:${redisProxy.port}` });
      redis = new Redis(fleet.redis.url);
      await shared();
    });
    afterAll(async () => {
      redis?.disconnect();
      await fleet?.stop();
      await redisProxy?.close();
      await aws?.stop();
    });

    /** One account each. */
    async function shared(): Promise<void> {
      const isShared = async () => {
        const held = await Promise.all(fleet.streamers.map((streamer) => streamer.held()));
        return held.every((accounts) => accounts.size === 1);
      };
      await until(isShared, 20_000, 'one account each');
      await fleet.settled();
    }

    async function accountOf(streamer: FleetStreamer): Promise<FleetAccount> {
      const held = await streamer.held();
      return fleet.accounts.find(({ account_id }) => held.has(account_id))!;
    }

    function expectOnlyLeaseChanges({ difference, explained }: FleetOutcome, account: FleetAccount): void {
      expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
      expect(explained).toMatchObject({ hole: 0, unexplained: [] });
      expect(explained.lease).toBeGreaterThan(0);
      // Nobody published under a lease that was succeeded.
      expect(fleet.reader.late).toEqual([]);
      const own = new Set(fleet.instrumentsOf(account).map(({ instrument_token }) => instrument_token));
      expect(difference.missing.filter(({ token }) => !own.has(token))).toEqual([]);
    }

    /** Every last value of the account is the newest lease's. */
    async function expectNewestLastValues(account: FleetAccount): Promise<void> {
      const names = redisNames(fleet.reader.prefix);
      const tokens = fleet.instrumentsOf(account).map(({ instrument_token }) => String(instrument_token));
      const leases = async () =>
        (await redis.hmget(names.last, ...tokens)).map(
          (value) => (JSON.parse(value!) as { lease: number }).lease,
        );
      const newest = fleet.reader.leaseOf(account.account_id);
      await until(
        async () => (await leases()).every((lease) => lease === newest),
        5_000,
        'the new holder to write all',
      );
      // What the one before still had under way would come now.
      await new Promise((done) => setTimeout(done, 1_000));
      expect(new Set(await leases())).toEqual(new Set([newest]));
    }

    it('kill -9: its accounts stream elsewhere in time, the others see nothing', async () => {
      const [staying, killed] = fleet.streamers;
      const account = await accountOf(killed!);
      const outcome = await fleet.during(async () => {
        await killed!.kill();
        await until(async () => (await staying!.held()).size === 2, 60_000, 'the account to be taken');
      });
      expectOnlyLeaseChanges(outcome, account);
      for (const { instrument_token } of fleet.instrumentsOf(account)) {
        expect(fleet.gapOf(instrument_token)).toBeLessThanOrEqual(TAKE_OVER_MS);
      }
      await killed!.start();
      await shared();
    });

    // The one after it shows the same, and more.
    it.runIf(IS_FULL)(
      'frozen and woken: it publishes nothing more, and overwrites no newer last value',
      async () => {
        const [staying, frozen] = fleet.streamers;
        const account = await accountOf(frozen!);
        const before = fleet.reader.leaseOf(account.account_id)!;
        const outcome = await fleet.during(async () => {
          frozen!.freeze();
          await until(async () => (await staying!.held()).size === 2, 60_000, 'the account to be taken');
          await until(() => fleet.reader.leaseOf(account.account_id)! > before, 10_000, 'the new lease');
          frozen!.wake();
          await until(
            async () => (await frozen!.counter('lease_changes_total', { kind: 'lost' })) === 1,
            10_000,
            'the loss to be noticed',
          );
        });
        expectOnlyLeaseChanges(outcome, account);
        await shared();
        await expectNewestLastValues(account);
      },
    );

    it('frozen with envelopes and last values on their way: Redis refuses what arrives after the take-over', async () => {
      const [staying, frozen] = fleet.streamers;
      const account = await accountOf(frozen!);
      const before = fleet.reader.leaseOf(account.account_id)!;
      const outcome = await fleet.during(async () => {
        await redisProxy.setMode({ kind: 'stall' });
        await new Promise((done) => setTimeout(done, 800));
        frozen!.freeze();
        await until(async () => (await staying!.held()).size === 2, 60_000, 'the account to be taken');
        await until(() => fleet.reader.leaseOf(account.account_id)! > before, 10_000, 'the new lease');
        await redisProxy.setMode({ kind: 'pass' });
        await new Promise((done) => setTimeout(done, 500));
        expect(fleet.reader.late).toEqual([]);
        frozen!.wake();
      });
      expectOnlyLeaseChanges(outcome, account);
      await shared();
      await expectNewestLastValues(account);
      expect(await frozen!.counter('redis_fenced_off_total')).toBeGreaterThan(0);
    });
  },
);
