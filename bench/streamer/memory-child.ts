import { benchAccount, benchConfig, benchSink } from './lane.ts';
import { benchFrames, benchOptions } from './universe.ts';

const REGISTRY_ROWS = 114_000;
const INSTRUMENTS = 9_000;
const FEED_MS = 10_000;

/** argv: Redis. Streams for ten seconds at 50,000 ticks/s, then tells its resident memory in MB. */
const [redisUrl = ''] = process.argv.slice(2);
const config = benchConfig(redisUrl);
const lane = await benchSink(config);
const registry = benchOptions(REGISTRY_ROWS);
const held = registry.slice(0, INSTRUMENTS);
const account = benchAccount(config, lane.sink, held);
account.close();
const frames = benchFrames(held, 100, 1);
const startedMs = performance.now();
let next = 0;
while (performance.now() - startedMs < FEED_MS) {
  account.pipeline.frame(frames[next % frames.length]!);
  next += 1;
  await new Promise((resolve) => setTimeout(resolve, next % 2));
}
process.on('disconnect', () => process.exit(registry.length === REGISTRY_ROWS ? 0 : 1));
process.send?.(process.memoryUsage.rss() / 1e6);
