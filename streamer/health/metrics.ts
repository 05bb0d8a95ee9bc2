import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TICK_CHANNELS } from '#shared/messages/channels.ts';
import type { AccountStreamer } from '../account.ts';
import type { Loops } from '../control/loops.ts';
import type { RedisSink } from '../publish/redis-sink.ts';
import { type FeedMetricsSource, feedMetrics } from './feed-metrics.ts';
import { LongestStop } from './longest-stop.ts';

export interface MetricsSource extends FeedMetricsSource {
  readonly sink: Pick<
    RedisSink,
    'breakerState' | 'failuresTotal' | 'envelopesTotal' | 'notLoggedTotal' | 'overtakenTotal' | 'underWay'
  >;
  readonly loops: Pick<Loops, 'states'>;
}

export interface StreamerMetrics {
  readonly registry: Registry;
  observeFrame(durationMs: number): void;
  observePricing(durationMs: number): void;
  stop(): void;
}

const BREAKER_VALUE = { closed: 0, half_open: 1, open: 2 } as const;
const FRAME_BUCKETS_S = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1];
const PRICING_BUCKETS_S = [2e-7, 5e-7, 1e-6, 2e-6, 5e-6, 1e-5, 1e-4];

type Labels = Record<string, string>;
export type Sample = readonly [labels: Labels, value: number];

/** Numbers are kept where the work is done and read when somebody asks: counting costs the hot path nothing. */
export function streamerMetrics(source: MetricsSource): StreamerMetrics {
  const registry = new Registry();
  const { gauge, counter } = definers(registry);
  feedMetrics(source, gauge, counter);
  tickMetrics(source, gauge, counter);
  processMetrics(source, gauge, counter);
  const frames = new Histogram({
    name: 'tick_processing_latency_seconds',
    help: 'One frame from its bytes to its batches',
    buckets: FRAME_BUCKETS_S,
    registers: [registry],
  });
  const pricing = new Histogram({
    name: 'greeks_calculation_latency_seconds',
    help: 'IV and Greeks of one option, one in 1,024 timed',
    buckets: PRICING_BUCKETS_S,
    registers: [registry],
  });
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  gauge('event_loop_lag_seconds', '99th percentile since the last reading', [], () => {
    const seconds = lag.percentile(99) / 1e9;
    lag.reset();
    return [[{}, Number.isFinite(seconds) ? seconds : 0]];
  });
  const longest = new LongestStop();
  gauge('event_loop_lag_max_seconds', 'Longest stop since the last reading', [], () => [
    [{}, longest.read() / 1_000],
  ]);
  return {
    registry,
    observeFrame: (durationMs) => frames.observe(durationMs / 1_000),
    observePricing: (durationMs) => pricing.observe(durationMs / 1_000),
    stop: () => {
      lag.disable();
      longest.stop();
    },
  };
}

export type Define = (
  name: string,
  help: string,
  labelNames: string[],
  read: () => Iterable<Sample>,
) => unknown;

/** Metrics whose values are read when somebody asks. */
export function definers(registry: Registry): { readonly gauge: Define; readonly counter: Define } {
  const registers = [registry];
  return {
    gauge: (name, help, labelNames, read) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.set(labels, value);
        },
      }),
    counter: (name, help, labelNames, read) =>
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.inc(labels, value);
        },
      }),
  };
}

function tickMetrics(source: MetricsSource, gauge: Define, counter: Define): void {
  const perChannel = (value: (account: AccountStreamer, channel: (typeof TICK_CHANNELS)[number]) => number) =>
    function* (): Generator<Sample> {
      for (const account of source.accounts()) {
        for (const channel of TICK_CHANNELS) {
          yield [{ account_id: account.accountId, channel }, value(account, channel)];
        }
      }
    };
  const labels = ['account_id', 'channel'];
  counter('ticks_in_total', 'Packets received', ['account_id'], function* () {
    for (const account of source.accounts()) {
      yield [{ account_id: account.accountId }, account.pipeline.counts.packets];
    }
  });
  counter('ticks_pricing_only_total', 'Packets of indices held for pricing', ['account_id'], function* () {
    for (const account of source.accounts()) {
      yield [{ account_id: account.accountId }, account.pipeline.counts.pricingOnly];
    }
  });
  counter(
    'ticks_published_total',
    'Snapshots given to Redis',
    labels,
    perChannel((account, channel) => account.batchers[channel].publishedTotal),
  );
  counter(
    'ticks_mock_total',
    'Synthetic snapshots given to Redis',
    labels,
    perChannel((account, channel) => account.batchers[channel].mockTotal),
  );
  counter(
    'ticks_folded_total',
    'Snapshots replaced by newer ones',
    labels,
    perChannel((account, channel) => account.batchers[channel].foldedTotal),
  );
  counter(
    'ticks_discarded_total',
    'Snapshots dropped without a lease',
    labels,
    perChannel((account, channel) => account.batchers[channel].discardedTotal),
  );
  gauge(
    'ticks_waiting',
    'Snapshots not yet given to Redis',
    labels,
    perChannel((account, channel) => account.batchers[channel].backlog),
  );
  gauge(
    'sequence_position',
    'Newest envelope number',
    labels,
    perChannel((account, channel) => account.batchers[channel].seq),
  );
  counter('ticks_rejected_total', 'Packets not used', ['account_id', 'reason'], function* () {
    for (const account of source.accounts()) {
      for (const [reason, times] of Object.entries(account.pipeline.counts.rejected)) {
        yield [{ account_id: account.accountId, reason }, times];
      }
    }
  });
}

function processMetrics(source: MetricsSource, gauge: Define, counter: Define): void {
  counter('redis_publish_failures', 'Failures of the Redis sink', [], () => [
    [{}, source.sink.failuresTotal],
  ]);
  counter('redis_envelopes_total', 'Envelopes that Redis took', [], () => [[{}, source.sink.envelopesTotal]]);
  counter(
    'redis_envelopes_not_logged_total',
    'Envelopes published that the replay log did not take',
    [],
    () => [[{}, source.sink.notLoggedTotal]],
  );
  counter('redis_envelopes_overtaken_total', 'Envelopes given up: refused, and later ones taken', [], () => [
    [{}, source.sink.overtakenTotal],
  ]);
  gauge('redis_envelopes_under_way', 'Envelopes without an answer yet', [], () => [
    [{}, source.sink.underWay],
  ]);
  gauge('circuit_breaker_state', '0 closed, 1 half open, 2 open', ['breaker'], () => [
    [{ breaker: 'redis' }, BREAKER_VALUE[source.sink.breakerState]],
  ]);
  gauge('process_resident_memory_bytes', 'Resident memory', [], () => [[{}, process.memoryUsage.rss()]]);
  counter('loop_failures_total', 'Failed turns of background loops', ['loop'], function* () {
    for (const loop of source.loops.states) yield [{ loop: loop.name }, loop.failures];
  });
}
