import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/processes.ts';
import { Fleet, fleetProblem } from './support/fleet.ts';
import { type FleetAws, startAws } from './support/fleet-aws.ts';

const problem = fleetProblem();
const NODE_OPTIONS = `--import=${join(import.meta.dirname, 'support/spoiled-stop.ts')}`;

describe.skipIf(problem !== undefined)(
  `streamers that cannot stop in order${problem ? `: ${problem}` : ''}`,
  () => {
    let aws: FleetAws;
    let fleet: Fleet;

    beforeAll(async () => {
      aws = await startAws('faults-lease-stop');
      fleet = await Fleet.start({
        aws,
        name: 'stop',
        accounts: 4,
        streamers: 2,
        instruments: 80,
        env: { SHUTDOWN_TIMEOUT_MS: '1500' },
      });
      await fleet.addStreamer({ NODE_OPTIONS, SPOILED_STOP: 'hangs' });
      await fleet.addStreamer({ NODE_OPTIONS, SPOILED_STOP: 'fails' });
    });
    afterAll(async () => {
      await fleet?.stop();
      await aws?.stop();
    });

    async function holding(...wanted: number[]): Promise<void> {
      const isSo = async () => {
        const held = await Promise.all(fleet.streamers.map((streamer) => streamer.held()));
        return held.map(({ size }) => size).join() === wanted.join();
      };
      await until(isSo, 30_000, `streamers to hold ${wanted}`);
    }

    it('AWS hangs, the stop hangs, the stop fails: each ends in its time, and another streams on', async () => {
      const [, cutOff, hanging, failing] = fleet.streamers;
      await holding(1, 1, 1, 1);
      await fleet.settled();
      const { difference, explained } = await fleet.during(async () => {
        await fleet.networks[1]!.setMode({ kind: 'stall' });
        const tooLong = [cutOff!, hanging!, failing!].map(async (streamer) => {
          const tookMs = await streamer.terminate();
          return tookMs > streamer.stopLimitMs ? `${streamer.id}: ${tookMs} ms` : undefined;
        });
        expect(await Promise.all(tooLong)).toEqual([undefined, undefined, undefined]);
        await holding(4, 0, 0, 0);
      });
      for (const { logLines } of [hanging!, failing!]) {
        expect(logLines.filter((line) => line.includes('ends without having stopped'))).toHaveLength(1);
      }
      expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
      expect(explained).toMatchObject({ hole: 0, unexplained: [] });
      expect(fleet.reader.late).toEqual([]);
    });
  },
);
