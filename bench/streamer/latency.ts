import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedisProcess } from '#test/support/processes.ts';
import { atMost, type Figure, observed } from '../figure.ts';
import { BENCH_PREFIX, benchAccount, benchConfig, benchSink } from './lane.ts';
import { benchFrames, benchOptions } from './universe.ts';

const TICKS_PER_S = 50_000;
const INSTRUMENTS = 9_000;
const PACKETS_PER_FRAME = 100;
const WARM_UP_MS = 2_000;
const MEASURED_MS = 6_000;

/** From a frame's arrival to its envelope at a subscriber in another process, at a steady rate. */
export async function latency(): Promise<Figure[]> {
  const redis = await startRedisProcess();
  const subscriber = fork(new URL('latency-subscriber.ts', import.meta.url), [
    String(redis.port),
    `${BENCH_PREFIX}:options`,
  ]);
  await once(subscriber, 'message');
  const config = benchConfig(redis.url);
  const lane = await benchSink(config);
  const options = benchOptions(INSTRUMENTS);
  const account = benchAccount(config, lane.sink, options);
  account.close();
  try {
    const frames = benchFrames(options, PACKETS_PER_FRAME, 4);
    await feedSteadily(frames, WARM_UP_MS, (frame) => account.pipeline.frame(frame));
    await ask(subscriber, 'reset');
    await feedSteadily(frames, MEASURED_MS, (frame) => account.pipeline.frame(frame));
    await sleep(300);
    const { p50, p99, count } = (await ask(subscriber, 'report')) as Record<string, number>;
    process.stderr.write(`  latency over ${count} envelopes\n`);
    return [observed('latency_p50_ms', p50!, 'ms'), atMost('latency_p99_ms', p99!, 'ms', 5)];
  } finally {
    subscriber.disconnect();
    await lane.close();
    await redis.stop();
  }
}

async function ask(subscriber: ChildProcess, question: string): Promise<unknown> {
  const answer = once(subscriber, 'message');
  subscriber.send(question);
  return (await answer)[0];
}

/** Hands out frames when they are due; what a late timer owes comes at once, as from a socket. */
async function feedSteadily(
  frames: readonly DataView[],
  durationMs: number,
  give: (frame: DataView) => void,
): Promise<void> {
  const startedMs = performance.now();
  const frameMs = (PACKETS_PER_FRAME / TICKS_PER_S) * 1_000;
  let given = 0;
  for (;;) {
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs >= durationMs) return;
    while (given * frameMs <= elapsedMs) {
      give(frames[given % frames.length]!);
      given += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sleep(1);
  }
}
