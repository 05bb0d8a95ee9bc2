import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Batch } from '#streamer/publish/batcher.ts';
import { startRedisProcess } from '#test/support/processes.ts';
import { atLeast, atMost, type Figure, observed } from '../figure.ts';
import { pinSelf, underCore } from './cores.ts';
import { BENCH_PREFIX, benchAccount, benchConfig, benchSink, nullSink } from './lane.ts';
import { benchFrames, benchOptions } from './universe.ts';

const INSTRUMENTS = 9_000;
const PACKETS_PER_FRAME = 300;
const ROUNDS = 8;
const WARM_UP_MS = 2_500;
const MEASURED_MS = 5_000;

const WITH_LOG = { REPLAY_MB: '64' };
const NORMAL: Durations = { warmUpMs: WARM_UP_MS, measuredMs: MEASURED_MS };
const SHORT: Durations = { warmUpMs: 1_000, measuredMs: 3_000 };

interface Durations {
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

interface Measured {
  /** Ticks a second. */
  readonly rate: number;
  /** CPU of this process a tick, microseconds. */
  readonly cpuUs: number;
}

/** Full-mode option ticks from frame bytes to Redis, alone and against the same envelopes only published. */
export async function pipelineRate(): Promise<Figure[]> {
  pinSelf(0);
  const redis = await startRedisProcess({ under: underCore(1) });
  const subscriber = fork(new URL('subscriber.ts', import.meta.url), [
    String(redis.port),
    `${BENCH_PREFIX}:options`,
  ]);
  if (underCore(1).length > 0) pinChild(subscriber.pid!);
  await once(subscriber, 'message');
  try {
    const options = benchOptions(INSTRUMENTS);
    const frames = benchFrames(options, PACKETS_PER_FRAME, ROUNDS);
    const { rate: full } = await measureTicks(redis.url, {}, options, frames);
    const { rate: withLog } = await measureTicks(redis.url, WITH_LOG, options, frames);
    const published = await measurePublishOnly(redis.url, options, frames);
    process.stderr.write(`  published alone: ${Math.round(published)} snapshots/s\n`);
    return [
      atLeast('pipeline_ticks_per_s', full, 'ticks/s', 200_000),
      observed('pipeline_with_replay_ticks_per_s', withLog, 'ticks/s'),
      atLeast('pipeline_null_ratio', full / published, 'x', 0.2),
    ];
  } finally {
    subscriber.disconnect();
    await redis.stop();
  }
}

function pinChild(pid: number): void {
  import('node:child_process').then(({ execFileSync }) =>
    execFileSync('taskset', ['-a', '-cp', '1', String(pid)], { stdio: 'ignore' }),
  );
}

async function measureTicks(
  redisUrl: string,
  env: Readonly<Record<string, string>>,
  options: ReturnType<typeof benchOptions>,
  frames: readonly DataView[],
  { warmUpMs, measuredMs } = NORMAL,
): Promise<Measured> {
  const config = benchConfig(redisUrl, env);
  const lane = await benchSink(config);
  const account = benchAccount(config, lane.sink, options);
  const { batchers, pipeline } = account;
  let next = 0;
  const feed = async (durationMs: number) => {
    const before = batchers.options.publishedTotal;
    const cpuBefore = process.cpuUsage();
    const startedMs = performance.now();
    while (performance.now() - startedMs < durationMs) {
      await lane.whenAccepting();
      for (let burst = 0; burst < 4; burst += 1) {
        pipeline.frame(frames[next]!);
        next = (next + 1) % frames.length;
      }
      await breathe();
    }
    await lane.whenEmpty();
    pipeline.flush();
    const ticks = batchers.options.publishedTotal - before;
    const { user, system } = process.cpuUsage(cpuBefore);
    return { rate: (ticks / (performance.now() - startedMs)) * 1_000, cpuUs: (user + system) / ticks };
  };
  await feed(warmUpMs);
  const measured = await feed(measuredMs);
  const { foldedTotal } = batchers.options;
  account.close();
  await lane.close();
  if (foldedTotal > 0) process.stderr.write(`  folded ${foldedTotal} ticks while measuring\n`);
  return measured;
}

/** The same envelopes, made before, through the same sink. */
async function measurePublishOnly(
  redisUrl: string,
  options: ReturnType<typeof benchOptions>,
  frames: readonly DataView[],
): Promise<number> {
  const batches = recordedBatches(redisUrl, options, frames);
  const lane = await benchSink(benchConfig(redisUrl));
  let next = 0;
  const feed = async (durationMs: number) => {
    let ticks = 0;
    const startedMs = performance.now();
    while (performance.now() - startedMs < durationMs) {
      await lane.whenAccepting();
      const batch = batches[next]!;
      lane.sink.publish(batch);
      ticks += batch.ticks;
      next = (next + 1) % batches.length;
      if (next % 4 === 0) await breathe();
    }
    await lane.whenEmpty();
    return (ticks / (performance.now() - startedMs)) * 1_000;
  };
  await feed(WARM_UP_MS / 2);
  const rate = await feed(MEASURED_MS / 2);
  await lane.close();
  return rate;
}

function recordedBatches(
  redisUrl: string,
  options: ReturnType<typeof benchOptions>,
  frames: readonly DataView[],
): Batch[] {
  const batches: Batch[] = [];
  const sink = { isIdle: false, accepts: true, publish: (batch: Batch) => batches.push(batch) };
  const account = benchAccount(benchConfig(redisUrl), sink, options);
  for (const frame of frames) account.pipeline.frame(frame);
  account.close();
  return batches.filter((batch) => batch.channel === 'options');
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const SCALE_SIZES = [1_000, 9_000, 27_000];
const SCALE_ROUNDS = 8;
const SCALE_BUDGET = 1.2;

/**
 * CPU a tick by number of instruments, without Redis. The sizes take turns and each one's best round counts, so that
 * what else the machine does hits none of them alone.
 */
export async function scaleRatio(): Promise<Figure[]> {
  const lanes = SCALE_SIZES.map((size) => ({
    size,
    measure: cpuPerTick(size),
    bestUs: Number.POSITIVE_INFINITY,
  }));
  for (let round = 0; round < SCALE_ROUNDS; round += 1) {
    for (const lane of lanes) lane.bestUs = Math.min(lane.bestUs, lane.measure());
  }
  const ratio = lanes.at(-1)!.bestUs / lanes[0]!.bestUs;
  return [
    ...lanes.map(({ size, bestUs }) => observed(`cpu_us_per_tick_${size}`, bestUs, 'us')),
    atMost('scale_cpu_ratio', ratio, 'x', SCALE_BUDGET),
  ];
}

/** A function that pushes some 135,000 ticks through a lane of its own and returns their cost in microseconds each. */
function cpuPerTick(instruments: number): () => number {
  const options = benchOptions(instruments);
  const frames = benchFrames(options, PACKETS_PER_FRAME, Math.ceil(27_000 / instruments));
  const account = benchAccount(benchConfig('redis://127.0.0.1:1'), nullSink(), options);
  account.close();
  const pass = () => {
    for (const frame of frames) account.pipeline.frame(frame);
  };
  for (let warm = 0; warm < 5; warm += 1) pass();
  return () => {
    const before = process.cpuUsage();
    const packetsBefore = account.pipeline.counts.packets;
    for (let timed = 0; timed < 5; timed += 1) pass();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (account.pipeline.counts.packets - packetsBefore);
  };
}

/** CPU of the streamer's process a tick into a real Redis, by number of instruments, with and without the replay log. */
export async function costOfRedis(): Promise<Figure[]> {
  const redis = await startRedisProcess({ under: underCore(1) });
  const figures: Figure[] = [];
  try {
    for (const size of SCALE_SIZES) {
      const options = benchOptions(size);
      const frames = benchFrames(options, PACKETS_PER_FRAME, Math.ceil(27_000 / size));
      for (const [name, env] of [
        ['redis', {}],
        ['replay', WITH_LOG],
      ] as const) {
        const { cpuUs } = await measureTicks(redis.url, env, options, frames, SHORT);
        figures.push(observed(`${name}_cpu_us_per_tick_${size}`, cpuUs, 'us'));
      }
    }
  } finally {
    await redis.stop();
  }
  return figures;
}
