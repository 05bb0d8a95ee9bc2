import type { Registry } from 'prom-client';
import { definers } from '../health/metrics.ts';
import type { AccountReporter } from './account-reporter.ts';

/** `accounts`: those held, by account_id. */
export function reportMetrics(
  registry: Registry,
  accounts: () => Iterable<readonly [accountId: string, reporter: AccountReporter]>,
): void {
  const { gauge, counter } = definers(registry);
  gauge('account_session', '1 for the state that the session is in', ['account_id', 'state'], function* () {
    for (const [account_id, { report }] of accounts()) yield [{ account_id, state: report.session }, 1];
  });
  gauge('account_degraded', '1 while the account is lost, by reason', ['account_id', 'reason'], function* () {
    for (const [account_id, { report }] of accounts()) {
      if (report.degraded !== null) yield [{ account_id, reason: report.degraded.reason }, 1];
    }
  });
  counter('subscriptions_activated_total', 'First ticks reported', ['account_id'], function* () {
    for (const [account_id, { activated }] of accounts()) yield [{ account_id }, activated];
  });
}
