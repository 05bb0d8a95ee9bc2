import type { Registry } from 'prom-client';
import { definers } from '../health/metrics.ts';
import type { RedisSink } from '../publish/redis-sink.ts';
import { DRIFT_KINDS } from './drift.ts';
import type { LeaseKeeper } from './leases.ts';
import type { Reconciler } from './reconciler.ts';

export interface ControlMetricsSource {
  readonly keeper: Pick<LeaseKeeper, 'changes' | 'doubtful'>;
  readonly sink: Pick<RedisSink, 'fencedOffTotal'>;
  /** Accounts whose items are not understood. */
  unreadable(): number;
  /** Of accounts held, by account_id. */
  reconcilers(): Iterable<readonly [accountId: string, reconciler: Pick<Reconciler, 'drift'>]>;
}

export function controlMetrics(registry: Registry, source: ControlMetricsSource): void {
  const { gauge, counter } = definers(registry);
  counter('lease_changes_total', 'Leases that came and went', ['kind'], function* () {
    for (const [kind, times] of Object.entries(source.keeper.changes)) yield [{ kind }, times];
  });
  gauge('leases_in_doubt', 'Accounts that wait because their lease is not confirmed', [], () => [
    [{}, source.keeper.doubtful.length],
  ]);
  gauge('accounts_unreadable', 'Accounts whose items this version cannot read', [], () => [
    [{}, source.unreadable()],
  ]);
  counter('redis_fenced_off_total', 'Envelopes refused because of a newer lease', [], () => [
    [{}, source.sink.fencedOffTotal],
  ]);
  const help = 'Differences that no change accounts for, repaired';
  counter('reconciliation_drift_total', help, ['account_id', 'kind'], function* () {
    for (const [account_id, { drift }] of source.reconcilers()) {
      for (const kind of DRIFT_KINDS) yield [{ account_id, kind }, drift[kind]];
    }
  });
}
