import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import { readTicks } from '#shared/messages/reader.ts';
import { startRedisProcess } from '#test/support/processes.ts';
import { type Figure, observed } from '../figure.ts';
import { pinSelf, underCore } from './cores.ts';
import { BENCH_PREFIX } from './lane.ts';
import { benchEnvelopes } from './reader-envelopes.ts';

const WARM_UP_MS = 2_000;
const MEASURED_MS = 5_000;
const TELL_EVERY = 16;

/**
 * Ticks that a reader process takes from Redis on one core; and what a second of its CPU takes against a second that
 * does nothing but parse the same JSON, which a publisher that is too slow does not make look worse.
 */
export async function readerRate(): Promise<Figure[]> {
  pinSelf(0);
  const redis = await startRedisProcess({ under: underCore(1) });
  const publisher = fork(new URL('reader-publisher.ts', import.meta.url), [redis.url]);
  try {
    await once(publisher, 'message');
    const read = await measureReader(redis.url, publisher);
    const parsed = measureParse(benchEnvelopes().map((text) => Buffer.from(text)));
    process.stderr.write(
      `  a second of CPU reads ${Math.round(read.perCpuS)} ticks, parses ${Math.round(parsed)}\n`,
    );
    return [
      observed('reader_ticks_per_s', read.perS, 'ticks/s'),
      observed('reader_parse_ratio', read.perCpuS / parsed, 'x'),
    ];
  } finally {
    publisher.disconnect();
    await redis.stop();
  }
}

async function measureReader(
  redisUrl: string,
  publisher: ChildProcess,
): Promise<{ readonly perS: number; readonly perCpuS: number }> {
  let envelopes = 0;
  let ticks = 0;
  let begun: { readonly atMs: number; readonly cpu: NodeJS.CpuUsage; readonly ticks: number } | undefined;
  const firstMs = performance.now();
  for await (const event of readTicks({
    redisUrl,
    prefix: BENCH_PREFIX,
    channels: ['options'],
    from: 'live',
  })) {
    if (event.type === 'connected') publisher.send(0);
    else if (event.type !== 'ticks') throw new Error(`the reader met ${JSON.stringify(event)}`);
    else {
      if (event.reader_folded > 0) throw new Error('the reader folded: the publisher was too far ahead');
      ticks += event.ticks.length;
      envelopes += 1;
      if (envelopes % TELL_EVERY === 0) publisher.send(envelopes);
      const nowMs = performance.now();
      if (begun === undefined && nowMs - firstMs > WARM_UP_MS) {
        begun = { atMs: nowMs, cpu: process.cpuUsage(), ticks };
      }
      if (begun !== undefined && nowMs - begun.atMs > MEASURED_MS) {
        const counted = ticks - begun.ticks;
        return { perS: (counted / (nowMs - begun.atMs)) * 1_000, perCpuS: counted / cpuS(begun.cpu) };
      }
    }
  }
  throw new Error('the reader ended by itself');
}

/** Bytes as a socket gives them to text, and text to objects: no reader can do less. */
function measureParse(payloads: readonly Buffer[]): number {
  const pass = () => {
    let ticks = 0;
    for (const bytes of payloads) ticks += (JSON.parse(bytes.toString('utf8')) as TickEnvelope).ticks.length;
    return ticks;
  };
  const run = (durationMs: number) => {
    const startedMs = performance.now();
    const before = process.cpuUsage();
    let ticks = 0;
    while (performance.now() - startedMs < durationMs) ticks += pass();
    return ticks / cpuS(before);
  };
  run(WARM_UP_MS / 2);
  return run(MEASURED_MS / 2);
}

function cpuS(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000_000;
}
