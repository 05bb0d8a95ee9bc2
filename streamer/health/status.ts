import type { TickSource } from '../after-hours/after-hours.ts';
import type { LoopState } from '../control/loops.ts';
import type { RegistryFacts } from '../day/day-keeper.ts';
import type { NotCurrentCounts } from '../day/gate.ts';
import type { MarketFacts } from '../day/market.ts';
import type { FeedReport } from '../feed/report.ts';
import type { AccountReport } from '../report/account-reporter.ts';
import { judged, judgedAccount, type ThresholdSettings, worstLevel } from './thresholds.ts';

export type HealthLevel = 'ok' | 'degraded' | 'critical';

/** What health is decided from; times are epoch ms of market time, 0 for never. */
export interface HealthFacts {
  readonly accounts: readonly AccountFacts[];
  readonly redis: { readonly connected: boolean; readonly breaker: 'closed' | 'open' | 'half_open' };
  readonly loops: readonly LoopState[];
  readonly registry: RegistryFacts | undefined;
  readonly market: MarketFacts;
  readonly source: TickSource;
  readonly uptimeS: number;
  readonly memoryMb: number;
  readonly thresholds: ThresholdSettings;
}

export interface AccountFacts {
  readonly accountId: string;
  readonly lease: number | undefined;
  readonly subscriptions: number;
  readonly feed: FeedReport;
  readonly reconnectsPerHour: number;
  /** Wanted, but not what the day lets stream, or in doubt. */
  readonly held: NotCurrentCounts;
  readonly report: AccountReport;
  readonly lastTickMs: number;
}

/** Loops that keep the process able to work at all: one that fails this often in a row is an outage. */
const CRITICAL_LOOP_FAILURES = 5;

export function healthReport(facts: HealthFacts) {
  const accounts = facts.accounts.map((account) => accountReport(account, facts.thresholds));
  const memory_mb = judged(facts.memoryMb, facts.thresholds.memory_mb);
  const all = [memory_mb, ...accounts.flatMap((account) => Object.values(account.thresholds))];
  const failing = facts.loops.filter((loop) => loop.failuresInRow > 0);
  const isPublishing = facts.redis.connected && facts.redis.breaker !== 'open';
  const levels: HealthLevel[] = [
    isPublishing ? 'ok' : 'critical',
    facts.redis.breaker === 'half_open' ? 'degraded' : 'ok',
    failing.some(isOutage) ? 'critical' : 'ok',
    failing.length > 0 ? 'degraded' : 'ok',
    facts.registry?.status === 'outdated' ? 'degraded' : 'ok',
    ...accounts.map((account) => account.status),
  ];
  return {
    status: worst(levels),
    accounts,
    dependencies: {
      redis: { status: isPublishing ? 'ok' : 'down', circuit_breaker: facts.redis.breaker },
      control_plane: { status: failing.length === 0 ? 'ok' : 'failing' },
    },
    loops: facts.loops.map(({ name, runs, failures, failuresInRow, lastError }) => ({
      name,
      runs,
      failures,
      status: failuresInRow === 0 ? 'ok' : 'failing',
      ...(lastError === undefined ? {} : { last_error: lastError }),
    })),
    registry: facts.registry ?? null,
    market: facts.market,
    source: facts.source,
    uptime_s: facts.uptimeS,
    thresholds: { level: worstLevel(all), memory_mb },
  };
}

/** Without the control plane what streams goes on, and a new process would have nothing to stream at all. */
function isOutage({ isVital, failuresInRow }: LoopState): boolean {
  return isVital && failuresInRow >= CRITICAL_LOOP_FAILURES;
}

/**
 * An account that should stream and has no open link is critical; one with part of its links is degraded, and so is one
 * that waits for a login: a restart would not bring it one.
 */
function accountReport(account: AccountFacts, thresholds: ThresholdSettings) {
  const { feed, subscriptions, reconnectsPerHour } = account;
  const connections = feed.connections.length;
  const open = feed.connections.filter((connection) => connection.state === 'open').length;
  const needsLogin = account.report.session === 'login_required';
  const isDown = account.subscriptions > 0 && open === 0 && !needsLogin;
  const { recycled, gone, waiting, doubted } = account.held;
  const isMissing = feed.unplaced > 0 || account.lease === undefined || needsLogin;
  const isPartial = open < connections || isMissing;
  const isHeld = recycled + gone + waiting + doubted > 0;
  return {
    account_id: account.accountId,
    status: (isDown ? 'critical' : isPartial || isHeld ? 'degraded' : 'ok') as HealthLevel,
    ...account.report,
    lease: account.lease ?? null,
    subscriptions: account.subscriptions,
    ...feed,
    not_current: account.held,
    last_tick_at: account.lastTickMs === 0 ? null : new Date(account.lastTickMs).toISOString(),
    thresholds: judgedAccount({ subscriptions, connections, reconnectsPerHour }, thresholds),
  };
}

function worst(levels: readonly HealthLevel[]): HealthLevel {
  if (levels.includes('critical')) return 'critical';
  return levels.includes('degraded') ? 'degraded' : 'ok';
}
