import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy } from '#local/fault-proxy/proxy.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { redisNames, TICK_CHANNELS } from '#shared/messages/channels.ts';
import type { LastValue } from '#shared/messages/envelope.ts';
import { onTicks, type ReadEvent, type TicksEvent } from '#shared/messages/reader.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { Recorder, unaccounted } from '#test/support/recorder.ts';
import { RIG_ACCOUNT, type Rig, startRig } from '#test/support/streamer-rig.ts';
import { liveInstruments } from './support/scene.ts';
import { postJson } from './support/sent.ts';

const FULL = process.env.FULL === '1';
const OUTAGE_MS = FULL ? 30_000 : 3_000;
const PREFIX = 'faults:redis';
const PROJECT_DIR = resolvePath(import.meta.dirname, '../..');
const PYTHON = resolvePath(PROJECT_DIR, '.local/venv/bin/python');
const EXAMPLE = resolvePath(PROJECT_DIR, 'docs/examples/reader.py');
const names = redisNames(PREFIX);

describe.skipIf(redisServer() === undefined)(
  `the streamer and its Redis${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let instruments: Instrument[];
    let redis: OwnProcess;
    let rig: Rig | undefined;
    let recorder: Recorder | undefined;

    beforeAll(async () => {
      simulator = await startSimulatorProcess(['--market', 'open']);
      instruments = await liveInstruments(simulator.url, 64);
    });
    afterAll(() => simulator.stop());

    afterEach(async () => {
      await recorder?.stop();
      await rig?.stop();
      await redis.stop('SIGKILL');
      recorder = undefined;
      rig = undefined;
    });

    async function start(
      env: Readonly<Record<string, string>> = {},
    ): Promise<{ rig: Rig; recorder: Recorder }> {
      redis = await startRedisProcess();
      recorder = new Recorder({ redisUrl: redis.url, prefix: PREFIX });
      rig = await startRig({
        simulatorUrl: simulator.url,
        redisUrl: redis.url,
        prefix: PREFIX,
        instruments,
        env: { SINK_TIMEOUT_MS: '500', SINK_BREAKER_OPEN_MS: '1000', ...env },
      });
      const { newest } = recorder;
      await until(() => newest.size >= instruments.length, 20_000, 'a tick of every instrument');
      return { rig, recorder };
    }

    /** Last values follow within a second: before that a reader that begins finds none. */
    async function hashIsWhole({ redis: client }: Rig): Promise<void> {
      const isWhole = async () => (await client.hlen(names.last)) >= instruments.length;
      await until(isWhole, 10_000, 'a last value of every instrument');
    }

    const control = (path: string, body: object) => postJson(`${simulator.url}/_sim/${path}`, body);

    /** Every packet ended as published, folded, rejected, repeated, for pricing alone, waiting or discarded: none vanished. */
    function expectAccounted(each: Rig): void {
      const [account] = accountsOf(each);
      const { packets, pricingOnly, rejected } = account!.pipeline.counts;
      const { repeated } = account!.pipeline.splices;
      const ofChannels = TICK_CHANNELS.map((channel) => account!.batchers[channel]);
      const sum = (value: (batcher: (typeof ofChannels)[number]) => number) =>
        ofChannels.reduce((total, batcher) => total + value(batcher), 0);
      const refused = [...Object.values(rejected), ...Object.values(repeated)].reduce((a, b) => a + b, 0);
      const settled = sum((b) => b.publishedTotal) + sum((b) => b.foldedTotal) + sum((b) => b.discardedTotal);
      expect(packets).toBe(settled + sum((b) => b.backlog) + pricingOnly + refused);
    }

    async function expectRecovered(each: Rig, seen: Recorder): Promise<void> {
      const before = seen.envelopes.length;
      await until(() => each.streamer.report().status === 'ok', 20_000, 'health to be ok');
      await until(() => seen.envelopes.length > before + 20, 20_000, 'envelopes to flow');
      for (const channel of ['options', 'futures']) expect(unaccounted(seen, channel)).toBe(0);
      expectAccounted(each);
    }

    it('stopped and started again: the streamer folds meanwhile, recovers, and the reader knows what it missed', async () => {
      const each = await start();
      await redis.stop('SIGKILL');
      await until(() => each.rig.streamer.report().status === 'critical', 5_000, 'health to tell');
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      redis = await startRedisProcess({ port: redis.port });
      await expectRecovered(each.rig, each.recorder);
      const values = each.rig.redis;
      await until(
        async () => (await values.hlen(names.last)) === instruments.length,
        10_000,
        'the hash to fill',
      );
    });

    it('away for many failed attempts to connect: ticks flow again at its return, not after the breaker', async () => {
      const openMs = 120_000;
      const each = await start({ SINK_BREAKER_FAILURES: '3', SINK_BREAKER_OPEN_MS: String(openMs) });
      await redis.stop('SIGKILL');
      const { sink } = each.rig.streamer;
      const failuresBefore = sink.failuresTotal;
      await until(() => sink.failuresTotal > failuresBefore + 5, 30_000, 'attempts to fail');
      redis = await startRedisProcess({ port: redis.port });
      await expectRecovered(each.rig, each.recorder);
    });

    it('refusing what it is given: the breaker opens, and probes close it again', async () => {
      const each = await start({ SINK_BREAKER_FAILURES: '3', SINK_BREAKER_OPEN_MS: '1500' });
      const { sink } = each.rig.streamer;
      const { redis: client } = each.rig;
      await client.call('ACL', 'SETUSER', 'default', '-eval');
      await until(() => sink.breakerState === 'open', 20_000, 'the breaker to open');
      await client.call('ACL', 'SETUSER', 'default', '+eval');
      await expectRecovered(each.rig, each.recorder);
      expect(sink.breakerState).toBe('closed');
    });

    it.each([
      ['full', 'maxmemory', '1'],
      ['without the replicas that it must have', 'min-replicas-to-write', '1'],
    ])(
      '%s: what cannot be kept for later readers still reaches those that listen',
      async (_what, name, value) => {
        const each = await start();
        const { redis: client, streamer } = each.rig;
        await client.config('SET', 'maxmemory-policy', 'noeviction');
        await client.config('SET', name, value);
        await until(() => streamer.sink.notLoggedTotal > 20, 20_000, 'the log to take nothing');
        const before = each.recorder.envelopes.length;
        await until(
          () => each.recorder.envelopes.length > before + 20,
          20_000,
          'envelopes to flow all the same',
        );
        expect(each.recorder.missed).toBe(0);
        expect(streamer.sink.breakerState).toBe('closed');
        await client.config('SET', name, '0');
        await expectRecovered(each.rig, each.recorder);
      },
    );

    it('hung: nothing blocks, values fold, and after it wakes nothing is unaccounted for', async () => {
      const each = await start({ SINK_MAX_BATCHES: '2', BATCH_MAX_TICKS: '10' });
      redis.child.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      const [account] = accountsOf(each.rig);
      expect(account!.batchers.options.foldedTotal).toBeGreaterThan(0);
      expect(account!.batchers.options.backlog).toBeLessThanOrEqual(instruments.length + 10);
      redis.child.kill('SIGCONT');
      await expectRecovered(each.rig, each.recorder);
    });

    it('flushed while nothing ticks: the hash of last values is whole again by itself, as late readers need it', async () => {
      const each = await start();
      await hashIsWhole(each.rig);
      const { redis: client } = each.rig;
      await control('faults', { kind: 'feed_stall', seconds: 10 });
      const before = await client.hgetall(names.last);
      await client.flushall();
      await until(async () => (await client.hlen(names.last)) === instruments.length, 8_000, 'every value');
      expect(Object.keys(await client.hgetall(names.last)).sort()).toEqual(Object.keys(before).sort());
      expect(await client.scard(names.lastTokens(RIG_ACCOUNT))).toBe(instruments.length);
      expect(await client.get(names.lastDay)).not.toBeNull();
      const isTold = async () => (await client.hget(names.lastSeq, `options:${RIG_ACCOUNT}`)) !== null;
      await until(isTold, 8_000, 'how far the hash goes');
      expect(each.rig.logLines.join('\n')).toContain('Redis has lost the last values');
      await fetch(`${simulator.url}/_sim/faults`, { method: 'DELETE' });
      await expectRecovered(each.rig, each.recorder);
      expect(each.recorder.missed).toBe(0);
    });

    it('refusing the password: health is critical, and the right one later brings everything back', async () => {
      const each = await start();
      await each.rig.redis.config('SET', 'requirepass', 'secret');
      await each.rig.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => {});
      await until(() => each.rig.streamer.report().status === 'critical', 10_000, 'health to tell');
      const admin = new Redis(redis.url.replace('//', '//:secret@'));
      await admin.config('SET', 'requirepass', '');
      admin.disconnect();
      await expectRecovered(each.rig, each.recorder);
    });

    it('keeps last values at most a second behind, and removes those of removed instruments', async () => {
      const each = await start();
      const removed = instruments.slice(0, 20).map((instrument) => instrument.instrument_token);
      each.rig.subscriptions.remove(removed);
      const left = instruments.length - removed.length;
      await until(async () => (await each.rig.redis.hlen(names.last)) === left, 5_000, 'the fields to go');
      const sequence = await each.rig.redis.hgetall(names.lastSeq);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const later = await each.rig.redis.hgetall(names.lastSeq);
      const field = `options:${RIG_ACCOUNT}`;
      expect(Number(later[field]!.split('-')[1])).toBeGreaterThan(Number(sequence[field]!.split('-')[1]));
    });

    it('gives a late reader the last values and then every tick after them, once', async () => {
      const each = await start();
      await hashIsWhole(each.rig);
      const late = new Recorder({ redisUrl: redis.url, prefix: PREFIX, from: 'last_values' });
      await until(
        () => late.newest.size === instruments.length && late.envelopes.length > 40,
        15_000,
        'values',
      );
      const { seq } = late.of('options')[0]!;
      const whole = each.recorder.of('options').filter((envelope) => envelope.seq >= seq);
      const seen = late.of('options');
      expect(seen.map((envelope) => envelope.seq)).toEqual(
        whole.slice(0, seen.length).map((envelope) => envelope.seq),
      );
      expect(late.envelopes[0]!.source).toBe('last');
      const firstTicks = new Map<number, number>();
      for (const envelope of late.envelopes) {
        for (const tick of envelope.ticks) {
          const before = firstTicks.get(tick.instrument_token) ?? 0;
          expect(tick.received_ts).toBeGreaterThanOrEqual(before);
          firstTicks.set(tick.instrument_token, tick.received_ts);
        }
      }
      await late.stop();
    });

    it('lets a reader that was away read the log, without a hole', async () => {
      const each = await start();
      const admin = each.rig.redis;
      // Thrown out at once whenever it comes back, for longer than any channel stays silent.
      const untilMs = performance.now() + 2_500;
      while (performance.now() < untilMs) await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until(() => each.recorder.envelopes.some(({ source }) => source === 'log'), 10_000, 'a replay');
      await expectRecovered(each.rig, each.recorder);
      expect(each.recorder.missed).toBe(0);
      const seqs = each.recorder.of('options').map((envelope) => envelope.seq);
      expect(seqs).toEqual(seqs.map((_, index) => seqs[0]! + index));
    });

    it('slow, behind a proxy that trickles: values fold, the reader is told how many, and it catches up', async () => {
      redis = await startRedisProcess();
      const proxy = await startFaultProxy({ targetPort: redis.port });
      await proxy.setMode({ kind: 'trickle', bytesPerSecond: 40_000 });
      recorder = new Recorder({ redisUrl: redis.url, prefix: PREFIX });
      const env = { SINK_MAX_BATCHES: '2', BATCH_MAX_TICKS: '20', SINK_TIMEOUT_MS: '20000', REPLAY_MB: '0' };
      rig = await startRig({
        simulatorUrl: simulator.url,
        redisUrl: `redis://127.0.0.1:${proxy.port}`,
        prefix: PREFIX,
        instruments,
        env,
      });
      const [account] = await new Promise<ReturnType<typeof accountsOf>>((resolve) => {
        setTimeout(() => resolve(accountsOf(rig!)), 1_000);
      });
      await control('feed', { ticks_per_second: 5_000 });
      await until(() => account!.batchers.options.foldedTotal > 1_000, 20_000, 'folding');
      await control('feed', { ticks_per_second: 0 });
      await proxy.setMode({ kind: 'pass' });
      await expectRecovered(rig, recorder);
      await until(() => account!.batchers.options.backlog === 0, 10_000, 'the backlog to go');
      const { foldedTotal, publishedTotal } = account!.batchers.options;
      const seen = recorder;
      const sum = (value: (envelope: TicksEvent) => number) =>
        seen.of('options').reduce((total, envelope) => total + value(envelope), 0);
      await until(() => sum(({ ticks }) => ticks.length) >= publishedTotal, 10_000, 'all that was published');
      expect(sum(({ folded }) => folded)).toBe(foldedTotal);
      expect(recorder.missed).toBe(0);
      await proxy.close();
    });

    it('with a reader that stands still and comes back: folded by instrument, nothing missed, the newest values', async () => {
      const each = await start();
      const slow: TicksEvent[] = [];
      const holes: ReadEvent[] = [];
      let mayGoOn = () => {};
      const pause = new Promise<void>((resolve) => {
        mayGoOn = resolve;
      });
      const reading = onTicks(
        { redisUrl: redis.url, prefix: PREFIX, maxWaitingTicks: 100 },
        async (event) => {
          if (event.type === 'gap') holes.push(event);
          if (event.type !== 'ticks') return;
          slow.push(event);
          if (slow.length === 1) await pause;
        },
      );
      await control('feed', { ticks_per_second: 2_000 });
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await control('feed', { ticks_per_second: 0 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      mayGoOn();
      await until(
        () => slow.reduce((sum, envelope) => sum + envelope.reader_folded, 0) > 1_000,
        10_000,
        'folded envelopes',
      );
      expect(holes).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      reading.stop();
      await reading.ended;
      const newest = new Map(
        slow.flatMap(({ ticks }) => ticks.map((tick) => [tick.instrument_token, tick] as const)),
      );
      const last = slow.at(-1)!;
      const whole = each.recorder.envelopes.filter(
        (envelope) => envelope.channel !== last.channel || envelope.seq <= last.seq,
      );
      const expected = new Map(
        whole.flatMap(({ ticks }) => ticks.map((tick) => [tick.instrument_token, tick.received_ts])),
      );
      for (const [token, tick] of newest)
        expect(tick.received_ts).toBeLessThanOrEqual(expected.get(token) ?? Infinity);
      expect(newest.size).toBeGreaterThan(instruments.length / 2);
    });

    it.skipIf(!existsSync(PYTHON))(
      'read by the Python example: last values, then every envelope in order',
      async () => {
        const { rig } = await start();
        await hashIsWhole(rig);
        const child = spawn(PYTHON, [EXAMPLE, redis.url, PREFIX, 'options', '6']);
        let output = '';
        child.stdout.on('data', (chunk) => {
          output += chunk;
        });
        const [code] = (await once(child, 'exit')) as [number];
        expect(code).toBe(0);
        const lines = output
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { source: string; seq: number; ticks: number });
        expect(lines[0]).toMatchObject({ source: 'last' });
        expect(lines[0]!.ticks).toBeGreaterThan(0);
        const seqs = lines.slice(1).map((line) => line.seq);
        expect(seqs.length).toBeGreaterThan(3);
        expect(seqs).toEqual(seqs.map((_, index) => seqs[0]! + index));
      },
    );

    it('publishes bare snapshots where that is asked for', async () => {
      redis = await startRedisProcess();
      const listener = new Redis(redis.url);
      const messages: string[] = [];
      listener.on('message', (_channel, text: string) => messages.push(text));
      await listener.subscribe(names.ticks('options'));
      const env = { PUBLISH_FORMAT: 'single' };
      rig = await startRig({
        simulatorUrl: simulator.url,
        redisUrl: redis.url,
        prefix: PREFIX,
        instruments,
        env,
      });
      await until(() => messages.length > 100, 15_000, 'messages');
      listener.disconnect();
      for (const text of messages)
        expect(JSON.parse(text)).toMatchObject({ type: 'option', underlying: 'NIFTY' });
    });

    it('writes what the channels carried into the hash', async () => {
      const each = await start();
      const token = instruments.at(-1)!.instrument_token;
      const read = () => each.rig.redis.hget(names.last, String(token));
      await until(async () => (await read()) !== null, 5_000, 'a value');
      const text = await read();
      const { lease, seq, tick } = JSON.parse(text!) as LastValue;
      await until(
        () => each.recorder.of('options').some((envelope) => envelope.seq >= seq),
        5_000,
        'the envelope',
      );
      const carrier = each.recorder
        .of('options')
        .find((envelope) => envelope.seq === seq && envelope.lease === lease);
      expect(carrier?.ticks).toContainEqual(tick);
    });
  },
);

function accountsOf(rig: Rig) {
  return [...rig.streamer.streamers()];
}
