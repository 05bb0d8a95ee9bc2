import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { controlMetrics } from '#streamer/control/metrics.ts';

it('leases, fenced envelopes and drift are told by kind', async () => {
  const registry = new Registry();
  controlMetrics(registry, {
    keeper: { changes: { acquired: 3, lost: 1, given_away: 2 }, doubtful: ['primary'] },
    sink: { fencedOffTotal: 5 },
    unreadable: () => 6,
    reconcilers: () => [['primary', { drift: { not_streaming: 4, not_wanted: 0, wrong_mode: 1 } }]],
  });
  const lines = (await registry.metrics()).split('\n');
  for (const line of [
    'lease_changes_total{kind="acquired"} 3',
    'lease_changes_total{kind="lost"} 1',
    'lease_changes_total{kind="given_away"} 2',
    'leases_in_doubt 1',
    'redis_fenced_off_total 5',
    'accounts_unreadable 6',
    'reconciliation_drift_total{account_id="primary",kind="not_streaming"} 4',
    'reconciliation_drift_total{account_id="primary",kind="not_wanted"} 0',
    'reconciliation_drift_total{account_id="primary",kind="wrong_mode"} 1',
  ])
    expect(lines).toContain(line);
});
