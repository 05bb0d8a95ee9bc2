import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TICK_CHANNELS } from '#shared/messages/channels.ts';
import { lasting } from '#test/support/lasting.ts';
import { startRedisProcess, startSimulatorProcess, until } from '#test/support/processes.ts';
import { type Rig, simulatorInstruments, startRig } from '#test/support/streamer-rig.ts';
import { observed } from './figure.ts';
import { asStreamer } from './streamer/as-streamer.ts';

const PREFIX = 'soak:x';
const INSTRUMENTS = 3_000;
const SAMPLE_MS = 10_000;
/** Growth of the resident memory between the first and the last quarter that still counts as flat. */
const FLAT_MB = 20;

interface Ages {
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly holes: number;
}

/** `npm run soak -- --minutes 10 --rate 50000`: simulator, streamer, Redis and a reader for so long. */
async function soak(minutes: number, ticksPerSecond: number): Promise<boolean> {
  const [redis, simulator] = await Promise.all([
    startRedisProcess(),
    startSimulatorProcess(['--market', 'open']),
  ]);
  const options = lasting(await simulatorInstruments(simulator.url)).filter(({ strike }) => strike > 0);
  const rig = await startRig({
    simulatorUrl: simulator.url,
    redisUrl: redis.url,
    prefix: PREFIX,
    instruments: options.slice(0, INSTRUMENTS),
    env: { CONNECTION_SOFT_TARGET: '3000', REPLAY_MB: '16' },
  });
  const subscriber = fork(new URL('streamer/latency-subscriber.ts', import.meta.url), [
    String(redis.port),
    `${PREFIX}:options`,
  ]);
  await once(subscriber, 'message');
  try {
    await until(() => publishedBy(rig) > INSTRUMENTS, 30_000, 'the first ticks');
    await fetch(`${simulator.url}/_sim/feed`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ticks_per_second: ticksPerSecond }),
    });
    await sleep(5_000);
    await ask(subscriber, 'reset');
    const publishedBefore = publishedBy(rig);
    const startedMs = performance.now();
    const memoryMb = await sampled(minutes * 60_000);
    const rate = ((publishedBy(rig) - publishedBefore) / (performance.now() - startedMs)) * 1_000;
    return report(rig, memoryMb, rate, (await ask(subscriber, 'report')) as Ages);
  } finally {
    subscriber.disconnect();
    await rig.stop();
    await Promise.all([simulator.stop(), redis.stop()]);
  }
}

async function sampled(durationMs: number): Promise<number[]> {
  const samples: number[] = [];
  const startedMs = performance.now();
  while (performance.now() - startedMs < durationMs) {
    await sleep(Math.min(SAMPLE_MS, durationMs));
    samples.push(process.memoryUsage.rss() / 1e6);
    const { rss, heapUsed, external } = process.memoryUsage();
    const [resident, heap, outside] = [rss, heapUsed, external].map((bytes) => Math.round(bytes / 1e6));
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    process.stderr.write(`  ${seconds} s: ${resident} MB resident, heap ${heap}, outside of it ${outside}\n`);
  }
  return samples;
}

function report(rig: Rig, memoryMb: readonly number[], rate: number, ages: Ages): boolean {
  const quarter = Math.max(1, Math.floor(memoryMb.length / 4));
  const growthMb = mean(memoryMb.slice(-quarter)) - mean(memoryMb.slice(0, quarter));
  const [account] = [...rig.streamer.streamers()];
  const folded = TICK_CHANNELS.reduce((sum, channel) => sum + account!.batchers[channel].foldedTotal, 0);
  const rejected = Object.values(account!.pipeline.counts.rejected).reduce((sum, times) => sum + times, 0);
  const figures = [
    observed('soak_ticks_per_s', rate, 'ticks/s'),
    observed('soak_latency_p50_ms', ages.p50, 'ms'),
    observed('soak_latency_p99_ms', ages.p99, 'ms'),
    observed('soak_rejected', rejected, 'ticks'),
    observed('soak_folded', folded, 'ticks'),
    { name: 'soak_holes', value: ages.holes, unit: 'envelopes', budget: '<= 0', ok: ages.holes === 0 },
    {
      name: 'soak_rss_growth_mb',
      value: Math.round(growthMb),
      unit: 'MB',
      budget: `<= ${FLAT_MB}`,
      ok: growthMb <= FLAT_MB,
    },
  ];
  for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);
  return figures.every((figure) => figure.ok);
}

function publishedBy(rig: Rig): number {
  const [account] = [...rig.streamer.streamers()];
  return account?.batchers.options.publishedTotal ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function ask(subscriber: ChildProcess, question: string): Promise<unknown> {
  const answer = once(subscriber, 'message');
  subscriber.send(question);
  return (await answer)[0];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '50000' } },
  });
  const minutes = Number(values.minutes);
  const ticksPerSecond = Number(values.rate);
  if (!(minutes > 0 && ticksPerSecond > 0)) throw new Error('--minutes and --rate must be numbers above 0');
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  return (await soak(minutes, ticksPerSecond)) ? 0 : 1;
}

asStreamer(main).then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`soak: ${error.message}\n`);
    process.exit(1);
  },
);
