import type { Figure } from './figure.ts';
import { postToTick } from './post-to-tick.ts';
import { simulatorFeedRate } from './simulator-feed.ts';
import { simulatorMemoryGrowth } from './simulator-memory.ts';
import { simulatorOrdersPerSecond } from './simulator-orders.ts';
import { simulatorStart } from './simulator-start.ts';
import { asStreamer } from './streamer/as-streamer.ts';
import { decodeRatio } from './streamer/decode.ts';
import { dumpLoad } from './streamer/dump.ts';
import { latency } from './streamer/latency.ts';
import { residentMemory } from './streamer/memory.ts';
import { costOfRedis, pipelineRate, scaleRatio } from './streamer/pipeline.ts';
import { priceTime } from './streamer/price.ts';
import { readerRate } from './streamer/reader.ts';

interface Measurement {
  /** The figures it gives; naming one of them runs it. */
  readonly names: readonly string[];
  run(): Promise<Figure | Figure[]>;
}

const MEASUREMENTS: readonly Measurement[] = [
  { names: ['decode_ratio'], run: decodeRatio },
  { names: ['price_us', 'price_error_of_iv'], run: priceTime },
  {
    names: ['scale_cpu_ratio', 'cpu_us_per_tick_1000', 'cpu_us_per_tick_9000', 'cpu_us_per_tick_27000'],
    run: scaleRatio,
  },
  {
    names: ['pipeline_ticks_per_s', 'pipeline_null_ratio', 'pipeline_with_replay_ticks_per_s'],
    run: pipelineRate,
  },
  {
    names: [1_000, 9_000, 27_000].flatMap((size) => [
      `redis_cpu_us_per_tick_${size}`,
      `replay_cpu_us_per_tick_${size}`,
    ]),
    run: costOfRedis,
  },
  { names: ['latency_p99_ms', 'latency_p50_ms'], run: latency },
  { names: ['reader_ticks_per_s', 'reader_parse_ratio'], run: readerRate },
  { names: ['rss_mb'], run: residentMemory },
  {
    names: ['dump_longest_turn_ms', 'dump_first_longest_turn_ms', 'dump_cpu_ms', 'dump_at_once_ms'],
    run: dumpLoad,
  },
  { names: ['simulator_feed_ticks_per_s'], run: simulatorFeedRate },
  { names: ['simulator_memory_growth_mb'], run: simulatorMemoryGrowth },
  { names: ['simulator_orders_per_s'], run: simulatorOrdersPerSecond },
  { names: ['simulator_start_ms'], run: simulatorStart },
  { names: ['post_to_tick_p95_ms', 'post_sent_to_tick_p95_ms', 'post_500_to_tick_ms'], run: postToTick },
];

/** `npm run bench [-- NAME...]`: one JSON line a figure on stdout, what goes on on stderr. */
async function main(wanted: readonly string[]): Promise<number> {
  const known = MEASUREMENTS.flatMap((measurement) => measurement.names);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no figure is named ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  }
  for (const { names, run } of MEASUREMENTS) {
    if (wanted.length > 0 && !names.some((name) => wanted.includes(name))) continue;
    for (const figure of [await run()].flat()) process.stdout.write(`${JSON.stringify(figure)}\n`);
  }
  return 0;
}

asStreamer(() => main(process.argv.slice(2))).then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`);
    process.exit(1);
  },
);
