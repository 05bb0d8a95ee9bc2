import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { until } from '#test/support/processes.ts';
import { fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import { NOTHING } from './support/scene.ts';
import { QUIET_MS, SESSION_TIMEOUT_MS, SessionFleet, SIX_MS, WAIT_MS } from './support/session-fleet.ts';

const problem = fleetProblem();

describe.skipIf(problem !== undefined)(
  `sessions of a broker that keeps the links of an ended one${problem ? `: ${problem}` : ''}`,
  { timeout: SESSION_TIMEOUT_MS },
  () => {
    let aws: FleetAws;
    let scene: SessionFleet;

    beforeAll(async () => {
      aws = await startAws('faults-session-kept');
      scene = await SessionFleet.open(aws, 'keep');
    });
    afterAll(async () => {
      await scene?.close();
      await aws?.stop();
    });

    it('a new token is taken without a lost tick', async () => {
      scene.newChapter();
      const outcome = await scene.fleet.during(async () => {
        await scene.logout();
        expect(await scene.login()).toBe(2);
      });
      expect(outcome.difference).toMatchObject(NOTHING);
      scene.expectAccounted(outcome);
      expect(await scene.refusals()).toBe(0);
      await scene.toldAll('v2 active');
    });

    it('a logout shows with the next connection: told once, tried on, over with a login', async () => {
      scene.newChapter();
      const outcome = await scene.fleet.during(async () => {
        await scene.logout();
        await sleep(QUIET_MS);
        expect(scene.told).toEqual([]);
        await scene.fleet.fault(scene.account, { kind: 'feed_reset', count: 1 });
        await scene.toldAll('v2 login_required refused', 'degraded session');
        const tries = await scene.refusals();
        await until(async () => (await scene.refusals()) > tries + 1, WAIT_MS, 'more tries');
        expect(await scene.health()).toMatchObject({ session: 'login_required', status: 'degraded' });
        await scene.login();
      });
      scene.expectAccounted(outcome);
      expect(outcome.difference.missing.length).toBeGreaterThan(0);
      scene.expectBesideWhole(outcome.span);
      await scene.toldAll('v2 login_required refused', 'degraded session', 'v3 active', 'ok session');
    });

    it('six in the morning passes, and the day goes on with a new token in the same process', async () => {
      scene.newChapter();
      const { pid } = scene.streamer;
      const { fleet } = scene;
      await scene.setClock(SIX_MS - 5_000);
      const outcome = await fleet.during(async () => {
        await until(() => fleet.clock.nowMs() > SIX_MS + QUIET_MS, WAIT_MS, 'six in the morning');
      });
      expect(outcome.difference).toMatchObject(NOTHING);
      expect(scene.told).toEqual([]);

      const ended = await fleet.during(async () => {
        await fleet.fault(scene.account, { kind: 'feed_reset', count: 1 });
        await scene.toldAll('v3 login_required expired', 'degraded session');
        expect(await scene.health()).toMatchObject({ session: 'login_required', session_version: 3 });
        expect(await scene.login()).toBe(4);
      });
      scene.expectAccounted(ended);
      expect(ended.difference.missing.length).toBeGreaterThan(0);
      scene.expectBesideWhole(ended.span);
      await scene.toldAll('v3 login_required expired', 'degraded session', 'v4 active', 'ok session');
      expect(scene.streamer.pid).toBe(pid);
      const nextSix = new Date(istMs('2026-08-19', '06:00')).toISOString();
      expect(await scene.health()).toMatchObject({ session_expires_at: nextSix });
    });
  },
);
