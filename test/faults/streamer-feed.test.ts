import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Instrument } from '#shared/market/instrument.ts';
import { lasting } from '#test/support/lasting.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { Recorder, unaccounted } from '#test/support/recorder.ts';
import { type Rig, simulatorInstruments, startRig } from '#test/support/streamer-rig.ts';

const PREFIX = 'faults:feed';

describe.skipIf(redisServer() === undefined)(
  `the streamer and a broken feed${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let redis: OwnProcess;
    let all: Instrument[];
    let rig: Rig;
    let recorder: Recorder;

    beforeAll(async () => {
      [simulator, redis] = await Promise.all([
        startSimulatorProcess(['--market', 'open']),
        startRedisProcess(),
      ]);
      const options = lasting(await simulatorInstruments(simulator.url)).filter(
        (each) => each.segment === 'NFO-OPT',
      );
      // Near the money first: those tick all the time.
      const distance = ({ name, strike }: Instrument) =>
        (name === 'NIFTY' ? 0 : 1e6) + Math.abs(strike - 25_000);
      all = options.sort((a, b) => distance(a) - distance(b));
    });
    afterAll(async () => {
      await Promise.all([simulator.stop(), redis.stop('SIGKILL')]);
    });
    afterEach(async () => {
      await control('DELETE', 'faults');
      await recorder.stop();
      await rig.stop();
    });

    async function control(method: string, path: string, body?: object): Promise<unknown> {
      const response = await fetch(`${simulator.url}/_sim/${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect(response.ok).toBe(true);
      return response.json();
    }

    async function start(count: number, env: Readonly<Record<string, string>> = {}): Promise<void> {
      recorder = new Recorder({ redisUrl: redis.url, prefix: PREFIX });
      const instruments = all.slice(0, count);
      rig = await startRig({
        simulatorUrl: simulator.url,
        redisUrl: redis.url,
        prefix: PREFIX,
        instruments,
        env,
      });
      await until(() => recorder.newest.size >= count, 20_000, 'a tick of every instrument');
    }

    async function expectFlow(): Promise<void> {
      const { ticks } = recorder;
      await until(() => recorder.ticks > ticks + 20, 20_000, 'ticks to flow');
      await until(() => rig.streamer.report().status === 'ok', 20_000, 'health to be ok');
      expect(unaccounted(recorder, 'options')).toBe(0);
    }

    function rejected(): Record<string, number> {
      const [account] = [...rig.streamer.streamers()];
      return { ...account!.pipeline.counts.rejected };
    }

    it('reset: it connects again and subscribes everything again', async () => {
      await start(50);
      await control('POST', 'faults', { kind: 'feed_reset', count: 1 });
      const [account] = [...rig.streamer.streamers()];
      await until(() => account!.downs.size > 0, 20_000, 'the connection to go down');
      await expectFlow();
      const { newest } = recorder;
      newest.clear();
      await until(() => newest.size === 50, 30_000, 'every instrument again');
    });

    it('without any message for five seconds is given up', async () => {
      await start(20, { FEED_SILENCE_MS: '1500' });
      await control('POST', 'faults', { kind: 'feed_stall', seconds: 60 });
      await control('POST', 'faults', { kind: 'feed_no_heartbeat', seconds: 60 });
      const [account] = [...rig.streamer.streamers()];
      await until(() => (account!.downs.get('silent') ?? 0) > 0, 20_000, 'silence to be noticed');
      await control('DELETE', 'faults');
      await expectFlow();
    });

    it('refused: it keeps trying and takes a new session when there is one', async () => {
      await start(20);
      await control('DELETE', 'sessions/SIM001');
      // A link that is up may outlive its session: the refusal comes when it is made again.
      await control('POST', 'faults', { kind: 'feed_reset', count: 1 });
      const [account] = [...rig.streamer.streamers()];
      await until(() => (account!.downs.get('refused_403') ?? 0) > 0, 20_000, 'a refusal');
      expect(rig.streamer.report().status).toBe('degraded');
      const { access_token } = (await control('POST', 'sessions', { api_key: 'simkey' })) as {
        access_token: string;
      };
      rig.accounts.session = { api_key: 'simkey', access_token, session_version: 2 };
      await expectFlow();
      expect(rig.logLines.join('')).not.toContain(access_token);
    });

    it('cut in the middle: every cut is a lost connection that comes back', async () => {
      await start(100);
      const [account] = [...rig.streamer.streamers()];
      const lost = () => [...account!.downs.values()].reduce((sum, count) => sum + count, 0);
      await control('POST', 'faults', { kind: 'feed_cut_frame', count: 2 });
      // Whether the half that was sent still arrives is up to the network: then it is a truncated_frame.
      await until(() => lost() >= 2, 20_000, 'two lost connections');
      await expectFlow();
    });

    it.each([
      ['with unknown packets', 'feed_unknown_packet', 'unknown_length'],
      ['in disorder', 'feed_disorder', 'time_backwards'],
    ])('%s: what cannot be used is counted by reason', async (_what, kind, reason) => {
      await start(100);
      await control('POST', 'faults', { kind, count: 5 });
      await until(() => (rejected()[reason] ?? 0) > 0, 20_000, `a ${reason}`);
      await expectFlow();
    });

    it.each([['feed_duplicate'], ['feed_oversize_frame'], ['feed_crossed_book'], ['feed_zero_price']])(
      '%s does not disturb the rest',
      async (kind) => {
        await start(100);
        await control('POST', 'faults', { kind, count: 3 });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await expectFlow();
      },
    );

    it('500 subscriptions at once and 500 removals at once leave the others streaming', async () => {
      await start(20);
      const more = all.slice(20, 520);
      rig.subscriptions.set(more, 'full');
      await until(() => recorder.newest.size >= 520, 20_000, 'the new ones');
      const [account] = [...rig.streamer.streamers()];
      const downs = account!.downs.size;
      rig.subscriptions.remove(more.map((instrument) => instrument.instrument_token));
      await until(() => account!.subscriptions === 20, 5_000, 'the removals');
      await expectFlow();
      expect(account!.downs.size).toBe(downs);
    });

    it('a lost lease ends publishing at once and for good', async () => {
      await start(20);
      rig.leases.takeAway('primary');
      await until(() => [...rig.streamer.streamers()].length === 0, 5_000, 'the account to be let go');
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { length } = recorder.envelopes;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(recorder.envelopes.length).toBe(length);
    });
  },
);
