import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/processes.ts';
import { fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import {
  INSTRUMENTS_EACH,
  QUIET_MS,
  SESSION_TIMEOUT_MS,
  SessionFleet,
  WAIT_MS,
} from './support/session-fleet.ts';

const problem = fleetProblem();

describe.skipIf(problem !== undefined)(
  `sessions of a broker that closes the links of an ended one${problem ? `: ${problem}` : ''}`,
  { timeout: SESSION_TIMEOUT_MS },
  () => {
    let aws: FleetAws;
    let scene: SessionFleet;

    beforeAll(async () => {
      aws = await startAws('faults-session-closed');
      scene = await SessionFleet.open(aws, 'close');
    });
    afterAll(async () => {
      await scene?.close();
      await aws?.stop();
    });

    it('a logout while the table is away is told once, when it is back, and over with a login', async () => {
      scene.newChapter();
      const [network] = scene.fleet.networks;
      const outcome = await scene.fleet.during(async () => {
        await network!.setMode({ kind: 'refuse' });
        network!.cut();
        await scene.logout();
        const isKnown = async () => (await scene.health())?.session === 'login_required';
        await until(isKnown, WAIT_MS, 'the session to be known as dead');
        await sleep(QUIET_MS);
        expect(scene.told).toEqual([]);
        await network!.setMode({ kind: 'pass' });
        await scene.toldAll('v1 login_required refused', 'degraded session');
        await scene.login();
      });
      scene.expectAccounted(outcome);
      expect(outcome.difference.missing.length).toBeGreaterThan(0);
      scene.expectBesideWhole(outcome.span);
      await scene.toldAll('v1 login_required refused', 'degraded session', 'v2 active', 'ok session');
    });

    it('a refusal by mistake is told, and that the token is taken again after all', async () => {
      scene.newChapter();
      const { fleet, account } = scene;
      const outcome = await fleet.during(async () => {
        await fleet.fault(account, { kind: 'feed_refuse', status: 403, count: 1 });
        await fleet.fault(account, { kind: 'feed_reset', count: 1 });
        // Whether the account counts as lost meanwhile is a matter of how fast this machine is.
        const sessions = () => scene.told.filter((each) => each.startsWith('v'));
        await until(() => sessions().length >= 2, WAIT_MS, 'the token to be taken again');
        expect(sessions()).toEqual(['v2 login_required refused', 'v2 active accepted_again']);
      });
      scene.expectAccounted(outcome);
      scene.expectBesideWhole(outcome.span);
      expect(await scene.isUp(2)).toBe(true);
    });

    it('without any link for long it is a lost account, with a live session, once', async () => {
      scene.newChapter();
      const { fleet, account } = scene;
      const outcome = await fleet.during(async () => {
        await fleet.fault(account, { kind: 'feed_refuse', status: 503, seconds: 300 });
        await fleet.fault(account, { kind: 'feed_reset', count: 1 });
        await scene.toldAll('degraded feed');
        expect(await scene.health()).toMatchObject({ session: 'ok', degraded: { reason: 'feed' } });
        await sleep(QUIET_MS);
        await fleet.clearFaults();
        await scene.toldAll('degraded feed', 'ok feed');
      });
      scene.expectAccounted(outcome);
      expect(outcome.difference.missing.length).toBeGreaterThan(0);
      scene.expectBesideWhole(outcome.span);
      const [lost, found] = scene.story.feeds.slice(-2);
      const subscriptions = INSTRUMENTS_EACH;
      expect(lost).toMatchObject({ subscriptions, unplaced: subscriptions, session_version: 2 });
      expect(found).toMatchObject({ subscriptions, unplaced: 0, since: lost!.since, lease: lost!.lease });
    });

    it('a successor does not tell it again, and reports the recovery itself', async () => {
      scene.newChapter();
      let besideFromS = 0;
      const outcome = await scene.fleet.during(async () => {
        await scene.logout();
        await scene.toldAll('v2 login_required refused', 'degraded session');
        await scene.streamer.kill();
        await scene.streamer.start();
        const isKnown = async () => (await scene.health())?.session === 'login_required';
        await until(isKnown, WAIT_MS, 'the successor to know');
        await until(() => scene.isUp(1, scene.beside), WAIT_MS, 'the other account to stream again');
        besideFromS = await scene.wholeFromS();
        await sleep(QUIET_MS);
        expect(await scene.login()).toBe(3);
        await scene.toldAll('v2 login_required refused', 'degraded session', 'v3 active', 'ok session');
      });
      // A successor cannot know that each instrument's newest packet, which it gets first, was published already.
      scene.expectAccounted(outcome, 2 * INSTRUMENTS_EACH);
      expect(outcome.explained.lease).toBeGreaterThan(0);
      scene.expectBesideWhole({ fromS: besideFromS, toS: outcome.span.toS });
      const [lost, found] = scene.story.feeds.slice(-2);
      expect(found!.lease).toBeGreaterThan(lost!.lease);
    });
  },
);
