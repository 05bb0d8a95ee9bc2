import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/processes.ts';
import { fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import { NOTHING } from './support/scene.ts';
import {
  INSTRUMENTS_EACH,
  SESSION_TIMEOUT_MS,
  SessionFleet,
  SIX_MS,
  WAIT_MS,
} from './support/session-fleet.ts';

const problem = fleetProblem();

describe.skipIf(problem !== undefined)(
  `sessions that end with the day, and their links with them${problem ? `: ${problem}` : ''}`,
  { timeout: SESSION_TIMEOUT_MS },
  () => {
    let aws: FleetAws;
    let scene: SessionFleet;

    beforeAll(async () => {
      aws = await startAws('faults-session-day');
      scene = await SessionFleet.open(aws, 'close');
    });
    afterAll(async () => {
      await scene?.close();
      await aws?.stop();
    });

    it('six in the morning closes the links: told once, nothing sent before it is lost, and over with each login', async () => {
      scene.newChapter();
      const { fleet, beside } = scene;
      const { pid } = scene.streamer;
      await fleet.setClock({ now: SIX_MS - 10_000 });
      const isNear = () => fleet.newestSentS() * 1_000 > SIX_MS - 6_000;
      await until(isNear, WAIT_MS, 'the clock to be followed');
      const span = { fromS: fleet.newestSentS(), toS: SIX_MS / 1_000 };
      await scene.toldAll('v1 login_required expired', 'degraded session');
      // The taps' links ended with it too, after the same last ticks.
      const isRead = () => fleet.compare(span).difference.missing.length === 0;
      await until(isRead, WAIT_MS, 'the last ticks to be read');
      const { difference } = fleet.compare(span);
      expect(difference).toMatchObject(NOTHING);
      expect(difference.sent).toBeGreaterThan(2 * INSTRUMENTS_EACH);
      const isExpired = async () => (await scene.health(beside))?.session === 'login_required';
      await until(isExpired, WAIT_MS, 'the other session to be known as over');

      await fleet.exchange.loginTaps();
      let besideFromS = 0;
      const back = await fleet.during(async () => {
        await scene.login(beside);
        besideFromS = await scene.wholeFromS();
        expect(await scene.login()).toBe(2);
        await scene.toldAll('v1 login_required expired', 'degraded session', 'v2 active', 'ok session');
      });
      scene.expectAccounted(back);
      expect(back.difference.missing.length).toBeGreaterThan(0);
      scene.expectBesideWhole({ fromS: besideFromS, toS: back.span.toS });
      expect(await scene.isUp(2)).toBe(true);
      expect(scene.streamer.pid).toBe(pid);
    });
  },
);
