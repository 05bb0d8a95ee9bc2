import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Instrument } from '#shared/market/instrument.ts';
import type { AccountStreamer } from '#streamer/account.ts';
import type { StreamerConfig } from '#streamer/config.ts';
import { DayGate } from '#streamer/day/gate.ts';
import { DumpRegistry } from '#streamer/day/registry.ts';
import { TradingDay } from '#streamer/day/trading-day.ts';
import { daySettings } from '#streamer/settings.ts';
import { benchAccount, benchConfig, benchSink } from './lane.ts';
import { BENCH_NOW_MS, benchOptions } from './universe.ts';

const FEED_MS = 10_000;

/**
 * argv: Redis, a dump, instruments to stream, rows of the dump. Streams the frames it is sent for ten seconds at some
 * 50,000 ticks/s, reads the dump before and in the middle of it, then tells its memory in MB.
 */
const [redisUrl = '', dumpFile = '', instruments = '', dumpRows = ''] = process.argv.slice(2);
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
  const options = benchOptions(Number(instruments));
  const account = benchAccount(config, lane.sink, options);
  account.close();
  const { registry, gate } = checkedAgainst(account, config, options);
  await registry.look();
  gate.follow();
  let isReplaced = false;
  const startedMs = performance.now();
  let next = 0;
  while (performance.now() - startedMs < FEED_MS) {
    account.pipeline.frame(frames[next % frames.length]!);
    next += 1;
    await new Promise((resolve) => setTimeout(resolve, next % 2));
    if (isReplaced || performance.now() - startedMs < FEED_MS / 2) continue;
    isReplaced = true;
    await registry.look();
    gate.follow();
  }
  const { expired, recycled, gone, doubted } = gate.held;
  if (registry.loads !== 2 || expired + recycled + gone + doubted > 0)
    throw new Error('the dump was not as it should be');
  process.send?.(process.memoryUsage.rss() / 1e6);
}

/** The account as a day's dump lets it stream; each look finds another dump in force. */
function checkedAgainst(account: AccountStreamer, config: StreamerConfig, options: readonly Instrument[]) {
  let looks = 0;
  const registry = new DumpRegistry(async () => {
    looks += 1;
    const prefix = String(looks);
    const pointer = { day: '2026-08-18', version: prefix, prefix, count: Number(dumpRows), refreshed_at: '' };
    return { pointer, open: async () => createReadStream(dumpFile).pipe(createGunzip()) };
  });
  const clock = { nowMs: () => BENCH_NOW_MS };
  const gate = new DayGate(account, new TradingDay(clock, registry, daySettings(config)), () => {});
  const rows = options.map((instrument) => {
    const { instrument_token } = instrument;
    return { instrument_token, mode: 'full' as const, version: 1, instrument };
  });
  gate.apply(rows, []);
  return { registry, gate };
}
