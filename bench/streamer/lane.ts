import { Breaker } from '#shared/breaker.ts';
import { type SteadyClock, systemClock } from '#shared/clock.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { AccountStreamer } from '#streamer/account.ts';
import { readConfig, type StreamerConfig } from '#streamer/config.ts';
import type { BatchSink } from '#streamer/publish/batcher.ts';
import { RedisSink } from '#streamer/publish/redis-sink.ts';
import { ReplayLog } from '#streamer/publish/replay-log.ts';
import { publishingRedis } from '#streamer/redis.ts';
import { accountSettings, sinkSettings } from '#streamer/settings.ts';
import { NO_EVENTS } from '#test/support/lane.ts';

export const BENCH_PREFIX = 'bench:x';

export function benchConfig(redisUrl: string, env: Readonly<Record<string, string>> = {}): StreamerConfig {
  return readConfig({
    REDIS_URL: redisUrl,
    CHANNEL_PREFIX: BENCH_PREFIX,
    REPLAY_MB: '0',
    BROKER_WS_URL: 'ws://127.0.0.1:9',
    ...env,
  });
}

/** Real time, so that ages can be measured, told to the pricing as the day of the ticks by their own exchange time. */
function benchClock(): SteadyClock {
  const nowMs = () => performance.timeOrigin + performance.now();
  return { nowMs: () => Math.floor(nowMs()), wallMs: () => Math.floor(nowMs()), steadyMs: nowMs };
}

/** The streamer's path of one account without its sockets: frames go in by hand. */
export function benchAccount(
  config: StreamerConfig,
  sink: BatchSink,
  instruments: readonly Instrument[],
): AccountStreamer {
  const clock = benchClock();
  const account = new AccountStreamer(
    'primary',
    accountSettings(config),
    {
      clock,
      sink,
      random: () => 0,
      lease: () => 1,
      elsewhereMs: () => 0,
      accounts: { readSession: async () => undefined },
    },
    NO_EVENTS,
  );
  const rows = instruments.map((instrument) => ({
    instrument_token: instrument.instrument_token,
    mode: 'full' as const,
    version: 1,
    instrument,
  }));
  account.apply(rows, []);
  return account;
}

/** A sink that takes everything and keeps nothing. */
export function nullSink(): BatchSink & { batches: number; bytes: number } {
  return {
    isIdle: true,
    accepts: true,
    batches: 0,
    bytes: 0,
    publish(batch) {
      this.batches += 1;
      this.bytes += batch.payload.length;
    },
  };
}

export interface BenchSink {
  readonly sink: RedisSink;
  whenAccepting(): Promise<void>;
  whenEmpty(): Promise<void>;
  close(): Promise<void>;
}

/** The real sink on a real Redis, connected. */
export async function benchSink(config: StreamerConfig): Promise<BenchSink> {
  const redis = publishingRedis(config.REDIS_URL);
  const settings = sinkSettings(config);
  const clock = systemClock();
  const log = config.REPLAY_MB > 0 ? new ReplayLog(redis, BENCH_PREFIX, config.REPLAY_MB * 1e6) : undefined;
  const sink = new RedisSink(
    redis,
    settings.sink,
    { breaker: new Breaker(settings.breaker, clock), clock, log },
    {
      onReady: () => {},
      onFencedOff: (accountId) => process.stderr.write(`redis: a newer lease of ${accountId}\n`),
      onFailure: (kind, detail) => process.stderr.write(`redis: ${kind} ${detail}\n`),
    },
  );
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const whenAccepting = async () => {
    while (!sink.accepts) await turn();
  };
  const whenEmpty = async () => {
    while (sink.underWay > 0 || !sink.accepts) await turn();
  };
  await whenAccepting();
  const close = async () => {
    await sink.close(1_000);
    redis.disconnect();
  };
  return { sink, whenAccepting, whenEmpty, close };
}
