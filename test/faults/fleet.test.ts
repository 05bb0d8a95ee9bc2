import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet, fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';
import { NOTHING } from './support/scene.ts';

const problem = fleetProblem();

describe.skipIf(problem !== undefined)(
  `two streamers and two accounts${problem ? `: ${problem}` : ''}`,
  () => {
    let aws: FleetAws;
    let fleet: Fleet;

    beforeAll(async () => {
      aws = await startAws('faults-fleet');
      fleet = await Fleet.start({ aws, name: 'smoke', accounts: 2, streamers: 2, instruments: 80 });
    });
    afterAll(async () => {
      await fleet?.stop();
      await aws?.stop();
    });

    it('nothing happens: every instrument of every account is read, once and in order', async () => {
      const { difference, explained } = await fleet.during(async () => {});
      expect(difference).toMatchObject(NOTHING);
      expect(difference.sent).toBeGreaterThan(80);
      expect(explained.unexplained).toEqual([]);
      expect(fleet.reader.late).toEqual([]);
      expect(fleet.reader.told.filter(({ type }) => type === 'hole')).toEqual([]);
    });

    it('each account is held by one streamer, under the lease that readers see', async () => {
      for (const account of fleet.accounts) {
        const holder = await fleet.holderOf(account);
        expect(holder).toBeDefined();
        const lease = (await holder!.held()).get(account.account_id);
        expect(lease).toBe(fleet.reader.leaseOf(account.account_id));
      }
    });

    it('kill -9 of a holder: the other one streams on, and every missing tick is accounted for', async () => {
      const [account] = fleet.accounts;
      const holder = (await fleet.holderOf(account!))!;
      const { difference, explained } = await fleet.during(() => holder.kill());
      expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
      expect(explained.unexplained).toEqual([]);
      expect(explained.lease).toBeGreaterThan(0);
      expect(fleet.reader.late).toEqual([]);
      await holder.start();
      await fleet.settled();
    });
  },
);
