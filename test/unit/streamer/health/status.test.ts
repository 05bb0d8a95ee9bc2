import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { marketFacts } from '#streamer/day/market.ts';
import type { ConnectionReport, FeedReport } from '#streamer/feed/report.ts';
import { healthApp } from '#streamer/health/server.ts';
import { type AccountFacts, type HealthFacts, healthReport } from '#streamer/health/status.ts';

const CONNECTION: ConnectionReport = {
  state: 'open',
  instruments: 10,
  capacity: 3_000,
  connected_since: '2026-08-18T03:45:00.000Z',
  session_version: 3,
  last_message_age_ms: 40,
  last_tick_age_ms: 40,
  reconnects: 0,
  stalled: 0,
  causes: {},
};
const FEED: FeedReport = {
  connections: [CONNECTION],
  unplaced: 0,
  capacity: { instruments: 6_000, used: 10, warning: false },
  connection_limit: 3,
  moves: [],
};
const ACCOUNT: AccountFacts = {
  accountId: 'primary',
  lease: 3,
  subscriptions: 10,
  feed: FEED,
  reconnectsPerHour: 0,
  held: { expired: 0, recycled: 0, gone: 0, waiting: 0, doubted: 0 },
  report: {
    session: 'ok',
    session_version: 3,
    session_expires_at: '2026-08-19T00:30:00.000Z',
    degraded: null,
  },
  lastTickMs: Date.parse('2026-08-18T05:30:00Z'),
};
const LOOP = { name: 'x', isVital: true, runs: 9, failures: 0, failuresInRow: 0, lastError: undefined };
const GOOD: HealthFacts = {
  accounts: [ACCOUNT],
  redis: { connected: true, breaker: 'closed' },
  loops: [LOOP],
  registry: {
    day: '2026-08-18',
    version: 'v1',
    instruments: 114_000,
    refreshed_at: '2026-08-18T03:00:00.000Z',
    status: 'ok',
  },
  market: marketFacts(Date.parse('2026-08-18T05:30:00Z')),
  source: 'real',
  uptimeS: 60,
  memoryMb: 120,
  thresholds: {
    subscriptions: { yellow: 1_500, red: 2_000 },
    connections: { yellow: 2, red: 3 },
    memory_mb: { yellow: 150, red: 250 },
    reconnects_per_hour: { yellow: 5, red: 10 },
  },
};

function withFeed(change: Partial<FeedReport>): AccountFacts {
  return { ...ACCOUNT, feed: { ...FEED, ...change } };
}

describe('health', () => {
  it('tells of accounts, dependencies, loops and the registry', () => {
    expect(healthReport(GOOD)).toMatchObject({
      status: 'ok',
      accounts: [
        {
          account_id: 'primary',
          status: 'ok',
          lease: 3,
          subscriptions: 10,
          last_tick_at: '2026-08-18T05:30:00.000Z',
        },
      ],
      dependencies: { redis: { status: 'ok', circuit_breaker: 'closed' } },
      registry: { day: '2026-08-18', instruments: 114_000 },
      market: { day: '2026-08-18', state: 'open', next_change_at: '2026-08-18T09:40:00.000Z' },
      source: 'real',
    });
  });

  it.each<[string, string, Partial<HealthFacts>]>([
    ['critical', 'Redis is away', { redis: { connected: false, breaker: 'closed' } }],
    ['critical', 'the breaker is open', { redis: { connected: true, breaker: 'open' } }],
    ['degraded', 'the breaker probes', { redis: { connected: true, breaker: 'half_open' } }],
    [
      'degraded',
      'an account without a link waits for a login',
      {
        accounts: [
          {
            ...withFeed({ connections: [{ ...CONNECTION, state: 'waiting' }] }),
            report: { ...ACCOUNT.report, session: 'login_required' },
          },
        ],
      },
    ],
    [
      'critical',
      'no link of an account is open',
      { accounts: [withFeed({ connections: [{ ...CONNECTION, state: 'waiting' }] })] },
    ],
    [
      'degraded',
      'one of two links is down',
      {
        accounts: [withFeed({ connections: [CONNECTION, { ...CONNECTION, state: 'waiting' }] })],
      },
    ],
    ['degraded', 'instruments have no room', { accounts: [withFeed({ unplaced: 1 })] }],
    [
      'degraded',
      'the dump has another instrument under a token',
      { accounts: [{ ...ACCOUNT, held: { ...ACCOUNT.held, recycled: 1 } }] },
    ],
    [
      'degraded',
      'the dump lacks what streams on',
      { accounts: [{ ...ACCOUNT, held: { ...ACCOUNT.held, doubted: 1 } }] },
    ],
    [
      'ok',
      'contracts of today have expired',
      { accounts: [{ ...ACCOUNT, held: { ...ACCOUNT.held, expired: 1 } }] },
    ],
    ['degraded', "the dump is an older day's", { registry: { ...GOOD.registry!, status: 'outdated' } }],
    ['degraded', 'a loop failed', { loops: [{ ...LOOP, failures: 1, failuresInRow: 1, lastError: 'no' }] }],
    [
      'critical',
      'a loop keeps failing',
      { loops: [{ ...LOOP, failures: 9, failuresInRow: 9, lastError: 'no' }] },
    ],
    [
      'degraded',
      'the control plane is away for long',
      { loops: [{ ...LOOP, isVital: false, failures: 9, failuresInRow: 9, lastError: 'no' }] },
    ],
    [
      'ok',
      'an account without subscriptions has one idle link',
      { accounts: [{ ...ACCOUNT, subscriptions: 0, lastTickMs: 0 }] },
    ],
  ])('is %s when %s', (status, _when, change) => {
    expect(healthReport({ ...GOOD, ...change }).status).toBe(status);
  });
});

describe('thresholds', () => {
  it('are judged one by one, and never change the status', () => {
    const accounts = [
      { ...withFeed({ connections: [CONNECTION, CONNECTION, CONNECTION] }), subscriptions: 1_500 },
    ];
    const report = healthReport({ ...GOOD, accounts, memoryMb: 149 });
    expect(report.status).toBe('ok');
    expect(report.thresholds).toEqual({
      level: 'red',
      memory_mb: { value: 149, level: 'green', yellow: 150, red: 250 },
    });
    expect(report.accounts[0]!.thresholds).toEqual({
      subscriptions: { value: 1_500, level: 'yellow', yellow: 1_500, red: 2_000 },
      connections: { value: 3, level: 'red', yellow: 2, red: 3 },
      reconnects_per_hour: { value: 0, level: 'green', yellow: 5, red: 10 },
    });
  });

  it('of memory and reconnects are red from their number on', () => {
    const report = healthReport({
      ...GOOD,
      memoryMb: 250,
      accounts: [{ ...ACCOUNT, reconnectsPerHour: 9 }],
    });
    expect(report.thresholds.memory_mb.level).toBe('red');
    expect(report.accounts[0]!.thresholds.reconnects_per_hour.level).toBe('yellow');
    expect(healthReport(GOOD).thresholds.level).toBe('green');
  });
});

describe('the health server', () => {
  function app(facts: HealthFacts, ready: boolean) {
    return healthApp({ report: () => healthReport(facts), isReady: () => ready, metrics: new Registry() });
  }

  it('answers 503 only when critical, and readiness apart from health', async () => {
    const degraded = { ...GOOD, accounts: [withFeed({ unplaced: 1 })] };
    expect((await app(degraded, false).request('/health')).status).toBe(200);
    expect((await app(degraded, false).request('/ready')).status).toBe(503);
    const critical = { ...GOOD, redis: { connected: false, breaker: 'closed' as const } };
    expect((await app(critical, true).request('/health')).status).toBe(503);
    expect((await app(critical, true).request('/ready')).status).toBe(200);
    expect((await app(GOOD, true).request('/metrics')).status).toBe(200);
  });
});
