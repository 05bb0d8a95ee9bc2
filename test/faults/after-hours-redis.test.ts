import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Snapshot } from '#shared/market/snapshot.ts';
import { redisNames, TICK_CHANNELS } from '#shared/messages/channels.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { type Rig, simulatorInstruments, startRig } from '#test/support/streamer-rig.ts';
import { postJson } from './support/sent.ts';
import { SeveralAccounts } from './support/several-accounts.ts';
import { StrictReader } from './support/strict-reader.ts';

const PREFIX = 'faults:after-hours-redis';
const WAIT_MS = 30_000;
const SATURDAY = '2026-09-12';
const ACCOUNTS = ['first', 'second'];

/** By account: index, future and options; shares. */
async function someInstruments(simulatorUrl: string): Promise<readonly Instrument[][]> {
  const all = await simulatorInstruments(simulatorUrl);
  const nifty = all.filter((each) => each.name === 'NIFTY' && each.expiry > SATURDAY);
  const index = all.filter((each) => each.tradingsymbol === 'NIFTY 50');
  const future = nifty.filter((each) => each.instrument_type === 'FUT').slice(0, 1);
  const options = nifty.filter((each) => each.strike > 0 && each.strike % 1_000 === 0).slice(0, 12);
  const shares = all.filter((each) => each.exchange === 'NSE' && each.segment === 'NSE').slice(0, 12);
  return [[...index, ...future, ...options], shares];
}

describe.skipIf(redisServer() === undefined)(
  `after hours on two accounts of one streamer${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let redis: OwnProcess;
    let rig: Rig;
    let reader: StrictReader;
    let tokens: number[];

    beforeAll(async () => {
      const now = `${SATURDAY}T11:00:00+05:30`;
      [simulator, redis] = await Promise.all([startSimulatorProcess(['--now', now]), startRedisProcess()]);
      const instruments = await someInstruments(simulator.url);
      tokens = instruments.flat().map((each) => each.instrument_token);
      const sources = new SeveralAccounts();
      for (const [index, id] of ACCOUNTS.entries()) await sources.add(simulator.url, id, instruments[index]!);
      reader = new StrictReader(redis.url, PREFIX);
      rig = await startRig({
        simulatorUrl: simulator.url,
        redisUrl: redis.url,
        prefix: PREFIX,
        instruments: [],
        sources: { accounts: sources, subscriptions: sources },
        env: {
          AFTER_HOURS: 'simulate',
          AFTER_HOURS_TICK_MS: '100',
          AFTER_HOURS_QUIET_MS: '1500',
          AFTER_HOURS_SESSION_QUIET_MS: '3000',
          MAX_TIME_AHEAD_MS: '1000000000',
          SINK_BREAKER_OPEN_MS: '500',
          // A busy machine may stand still for longer than the rig's lease.
          LEASE_TTL_MS: '30000',
        },
      });
    });
    afterAll(async () => {
      reader.stop();
      await rig.stop();
      await Promise.all([simulator.stop(), redis.stop('SIGKILL')]);
    });

    async function market(state: 'open' | 'auto'): Promise<void> {
      await postJson(`${simulator.url}/_sim/clock`, { market: state });
    }

    const source = () => rig.streamer.report().source;
    const accounts = () => [...rig.streamer.streamers()];

    async function simulated(): Promise<void> {
      await until(() => source() === 'simulated', WAIT_MS, 'synthetic ticks');
      const from = reader.ticks().length;
      const seen = () => new Set(mocksIn(reader.ticks().slice(from)).map((tick) => tick.instrument_token));
      await until(() => seen().size === tokens.length, WAIT_MS, 'every instrument to tick');
    }

    function mocksIn(ticks: readonly Snapshot[]): Snapshot[] {
      return ticks.filter((tick) => tick.is_mock);
    }

    /** Behind the first tick of a market that trades on this Saturday. */
    function mocksAfterReal(ticks: readonly Snapshot[]): Snapshot[] {
      const first = ticks.findIndex((tick) => (tick.exchange_ts ?? 0) > istMs(SATURDAY, '00:00'));
      expect(first).toBeGreaterThanOrEqual(0);
      return mocksIn(ticks.slice(first));
    }

    /** So many instruments of each account have ticked for real since the call. */
    async function realOnBoth(count: number): Promise<void> {
      const before = accounts().map(({ pipeline }) => pipeline.counts.packets);
      const isDone = () =>
        accounts().every(({ pipeline }, index) => pipeline.counts.packets >= before[index]! + count);
      await until(isDone, WAIT_MS, 'real ticks on both accounts');
    }

    it("begins, after a start at night, at the broker's cached snapshots, which are real", async () => {
      await simulated();
      const ticks = Map.groupBy(reader.ticks(), (tick) => tick.instrument_token);
      expect([...ticks.keys()].sort()).toEqual([...tokens].sort());
      for (const [cached, first] of ticks.values()) {
        expect(cached).toMatchObject({ is_mock: false, exchange_ts: expect.any(Number) });
        expect(cached!.exchange_ts).toBeLessThan(istMs(SATURDAY, '00:00'));
        expect(first).toMatchObject({ is_mock: true, ltp: cached!.ltp, exchange_ts: null });
      }
    });

    it('goes on when a connection is lost: what the broker then sends again is no session', async () => {
      const lost = () =>
        accounts().map(({ feed }) => [...feed.downs.values()].reduce((sum, each) => sum + each, 0));
      const [before] = lost();
      const account = ACCOUNTS[0]!.toUpperCase();
      await postJson(`${simulator.url}/_sim/faults`, { kind: 'feed_reset', count: 1, account });
      const sources = new Set<string>();
      const isBack = () => {
        sources.add(source());
        return lost()[0]! > before! && rig.streamer.report().status === 'ok';
      };
      await until(isBack, WAIT_MS, 'another connection');
      await simulated();
      expect([...sources, source()]).not.toContain('real');
      for (const ticks of Map.groupBy(reader.ticks(), (tick) => tick.instrument_token).values()) {
        const real = ticks.filter((tick) => !tick.is_mock);
        expect(new Set(real.map((tick) => tick.ltp)).size).toBe(1);
      }
    });

    it('ends on both accounts before the first real tick of either', async () => {
      const from = reader.ticks().length;
      await market('open');
      await realOnBoth(24);
      const ticks = reader.ticks().slice(from);
      expect(mocksAfterReal(ticks)).toEqual([]);
      expect(source()).toBe('real');
      expect(
        accounts()
          .flatMap(({ slots }) => [...slots])
          .filter((slot) => slot.shown !== slot),
      ).toEqual([]);
      await market('auto');
      await simulated();
    });

    it('sends nothing synthetic that Redis had not taken when the first real tick came, and keeps its numbers', async () => {
      const seqs = () =>
        new Map(
          accounts().flatMap(({ accountId, batchers }) =>
            TICK_CHANNELS.map((channel): [string, number] => [
              `${channel}:${accountId}`,
              batchers[channel].seq,
            ]),
          ),
        );
      redis.child.kill('SIGSTOP');
      await until(() => rig.streamer.sink.underWay > 0, WAIT_MS, 'synthetic ticks under way');
      // What it had answered before it stood still arrives, and with it perhaps some more leaves.
      await sleep(300);
      const underWay = rig.streamer.sink.underWay;
      const mocks = mocksMade();
      await redis.stop('SIGKILL');
      const from = reader.ticks().length;
      const before = seqs();
      await market('open');
      await realOnBoth(24);
      expect(source()).toBe('real');
      expect(mocksMade()).toBe(mocks);
      redis = await startRedisProcess({ port: redis.port });
      await until(() => realTicks(from) > 24, WAIT_MS, 'real ticks');
      expect(mocksIn(reader.ticks().slice(from))).toEqual([]);
      const log = await replayLog();
      expect(log.flatMap(({ ticks }) => ticks).length).toBeGreaterThan(0);
      expect(mocksIn(log.flatMap(({ ticks }) => ticks))).toEqual([]);
      const emptied = log.filter(({ key, seq, ticks }) => seq <= before.get(key)! && ticks.length === 0);
      expect(emptied).toHaveLength(underWay);
    });

    function mocksMade(): number {
      return accounts().reduce(
        (sum, { batchers }) => sum + TICK_CHANNELS.reduce((all, each) => all + batchers[each].mockTotal, 0),
        0,
      );
    }

    function realTicks(from: number): number {
      return reader
        .ticks()
        .slice(from)
        .filter((tick) => !tick.is_mock).length;
    }

    async function replayLog(): Promise<(TickEnvelope & { readonly key: string })[]> {
      const client = new Redis(redis.url);
      const all: (TickEnvelope & { readonly key: string })[] = [];
      for (const channel of TICK_CHANNELS) {
        for (const id of ACCOUNTS) {
          const entries = await client.xrange(redisNames(PREFIX).log(channel, id), '-', '+');
          for (const [, [, text]] of entries) all.push({ ...JSON.parse(text!), key: `${channel}:${id}` });
        }
      }
      client.disconnect();
      return all;
    }
  },
);
