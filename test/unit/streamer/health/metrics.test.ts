import { afterEach, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { streamerMetrics } from '#streamer/health/metrics.ts';
import { frameOf, instrumentRow, ltpPacket } from '#test/support/frames.ts';
import { newLane } from '#test/support/lane.ts';

const EQUITY = instrumentRow({ instrument_token: 257, tradingsymbol: 'A' });

describe('the metrics', () => {
  const lane = newLane(istMs('2026-08-18', '11:00'));
  const metrics = streamerMetrics({
    accounts: () => [lane.account],
    thresholds: {
      subscriptions: { yellow: 1, red: 2 },
      connections: { yellow: 2, red: 3 },
      memory_mb: { yellow: 1, red: 1 },
      reconnects_per_hour: { yellow: 5, red: 10 },
    },
    sink: {
      breakerState: 'half_open',
      failuresTotal: 4,
      envelopesTotal: 9,
      notLoggedTotal: 0,
      overtakenTotal: 0,
      underWay: 1,
    },
    loops: {
      states: [
        { name: 'leases', isVital: true, runs: 3, failures: 2, failuresInRow: 0, lastError: undefined },
      ],
    },
  });
  afterEach(() => {
    metrics.stop();
    lane.account.close();
  });

  it('say what was done, read at the moment somebody asks', async () => {
    lane.claim([EQUITY], 'ltp');
    lane.account.pipeline.frame(frameOf([ltpPacket(257, 100), ltpPacket(999, 100)]));
    lane.account.downs.set('silent', 2);
    lane.account.feed.pool.seats[0]!.downs.set('stalled', 3);
    metrics.observeFrame(0.4);
    metrics.observePricing(0.0003);
    const text = await metrics.registry.metrics();
    for (const line of [
      'ticks_in_total{account_id="primary"} 2',
      'ticks_published_total{account_id="primary",channel="equities"} 1',
      'ticks_folded_total{account_id="primary",channel="options"} 0',
      'ticks_rejected_total{account_id="primary",reason="unknown_token"} 1',
      'sequence_position{account_id="primary",channel="equities"} 1',
      'active_subscriptions_total{account_id="primary"} 1',
      'websocket_pool_connections{account_id="primary",connection="0",state="connecting"} 1',
      'websocket_pool_subscribed_tokens{account_id="primary",connection="0",state="connecting"} 1',
      'websocket_reconnects_total{account_id="primary",cause="silent"} 2',
      'websocket_connection_capacity{account_id="primary",connection="0"} 3000',
      'websocket_pool_capacity{account_id="primary"} 6000',
      'websocket_pool_unplaced_tokens{account_id="primary"} 0',
      'websocket_pool_connection_limit{account_id="primary"} 3',
      'websocket_oversubscribed_total{account_id="primary"} 0',
      'websocket_connection_downs_total{account_id="primary",connection="0",cause="stalled"} 3',
      'websocket_pool_capacity_warning{account_id="primary"} 0',
      'websocket_pool_moves{account_id="primary",kind="replace"} 0',
      'websocket_connection_session_version{account_id="primary",connection="0"} 0',
      'ticks_repeated_total{account_id="primary",reason="not_home"} 0',
      'threshold_level{threshold="memory_mb",account_id=""} 2',
      'threshold_level{threshold="subscriptions",account_id="primary"} 1',
      'threshold_level{threshold="connections",account_id="primary"} 0',
      'threshold_level{threshold="reconnects_per_hour",account_id="primary"} 0',
      'redis_publish_failures 4',
      'circuit_breaker_state{breaker="redis"} 1',
      'loop_failures_total{loop="leases"} 2',
      'tick_processing_latency_seconds_count 1',
      'greeks_calculation_latency_seconds_count 1',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toContain('event_loop_lag_seconds');
    expect(text).toMatch(/^event_loop_lag_max_seconds \d/m);
  });

  it('do not grow by being read', async () => {
    const first = await metrics.registry.getSingleMetricAsString('ticks_in_total');
    expect(await metrics.registry.getSingleMetricAsString('ticks_in_total')).toBe(first);
  });
});
