import { benchAccount, benchConfig, benchSink } from './lane.ts';
import { benchOptions } from './universe.ts';

const INSTRUMENTS = 9_000;
const FEED_MS = 10_000;

/** argv: Redis. Streams the frames it is sent for ten seconds at some 50,000 ticks/s, then tells its memory in MB. */
const [redisUrl = ''] = process.argv.slice(2);
process.once('message', (frames: Uint8Array[]) => {
  run(frames.map((frame) => new DataView(frame.buffer, frame.byteOffset, frame.byteLength))).catch(
    (error) => {
      throw error;
    },
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function run(frames: readonly DataView[]): Promise<void> {
  const config = benchConfig(redisUrl);
  const lane = await benchSink(config);
  const account = benchAccount(config, lane.sink, benchOptions(INSTRUMENTS));
  account.close();
  const startedMs = performance.now();
  let next = 0;
  while (performance.now() - startedMs < FEED_MS) {
    account.pipeline.frame(frames[next % frames.length]!);
    next += 1;
    await new Promise((resolve) => setTimeout(resolve, next % 2));
  }
  process.send?.(process.memoryUsage.rss() / 1e6);
}
