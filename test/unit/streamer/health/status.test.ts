import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { marketFacts } from '#streamer/day/market.ts';
import { healthApp } from '#streamer/health/server.ts';
import { type AccountFacts, type HealthFacts, healthReport } from '#streamer/health/status.ts';

const ACCOUNT: AccountFacts = {
  accountId: 'primary',
  lease: 3,
  subscriptions: 10,
  unplaced: 0,
  held: { expired: 0, recycled: 0, gone: 0, waiting: 0 },
  report: {
    session: 'ok',
    session_version: 3,
    session_expires_at: '2026-08-19T00:30:00.000Z',
    degraded: null,
  },
  lastTickMs: Date.parse('2026-08-18T05:30:00Z'),
  connections: [{ state: 'open', instruments: 10 }],
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
};

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
            ...ACCOUNT,
            report: { ...ACCOUNT.report, session: 'login_required' },
            connections: [{ state: 'waiting', instruments: 10 }],
          },
        ],
      },
    ],
    [
      'critical',
      'no link of an account is open',
      { accounts: [{ ...ACCOUNT, connections: [{ state: 'waiting', instruments: 10 }] }] },
    ],
    [
      'degraded',
      'one of two links is down',
      {
        accounts: [
          { ...ACCOUNT, connections: [...ACCOUNT.connections, { state: 'waiting', instruments: 1 }] },
        ],
      },
    ],
    ['degraded', 'instruments have no room', { accounts: [{ ...ACCOUNT, unplaced: 1 }] }],
    [
      'degraded',
      'the dump has another instrument under a token',
      { accounts: [{ ...ACCOUNT, held: { ...ACCOUNT.held, recycled: 1 } }] },
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

describe('the health server', () => {
  function app(facts: HealthFacts, ready: boolean) {
    return healthApp({ report: () => healthReport(facts), isReady: () => ready, metrics: new Registry() });
  }

  it('answers 503 only when critical, and readiness apart from health', async () => {
    const degraded = { ...GOOD, accounts: [{ ...ACCOUNT, unplaced: 1 }] };
    expect((await app(degraded, false).request('/health')).status).toBe(200);
    expect((await app(degraded, false).request('/ready')).status).toBe(503);
    const critical = { ...GOOD, redis: { connected: false, breaker: 'closed' as const } };
    expect((await app(critical, true).request('/health')).status).toBe(503);
    expect((await app(critical, true).request('/ready')).status).toBe(200);
    expect((await app(GOOD, true).request('/metrics')).status).toBe(200);
  });
});
