import type { BreakerSettings } from '#shared/breaker.ts';
import type { AccountSettings } from './account.ts';
import type { AfterHoursSettings } from './after-hours/after-hours.ts';
import type { StreamerConfig } from './config.ts';
import type { LeaseKeeperSettings } from './control/leases.ts';
import type { TradingDaySettings } from './day/trading-day.ts';
import type { FeedSettings } from './feed/account-feed.ts';
import type { ThresholdSettings } from './health/thresholds.ts';
import type { OutboxSettings } from './orders/outbox.ts';
import type { RedisSinkSettings } from './publish/redis-sink.ts';
import type { AccountReportSettings } from './report/account-reporter.ts';
import type { ActivationSettings } from './report/activations.ts';

/** The configuration as each part wants it. */
export function accountSettings(config: StreamerConfig): AccountSettings {
  return {
    book: {
      model: config.PRICING_MODEL,
      rate: config.RISK_FREE_RATE,
      dividendYield: config.DIVIDEND_YIELD,
      maxSpread: config.MAX_SPREAD_RUPEES,
      maxSpreadFraction: config.MAX_SPREAD_FRACTION,
      staleAfterMs: config.IV_STALE_AFTER_MS,
    },
    validation: {
      maxPrice: config.MAX_PRICE_RUPEES,
      maxIndexMove: config.MAX_INDEX_MOVE_FRACTION,
      maxMove: config.MAX_MOVE_FRACTION,
      maxAheadMs: config.MAX_TIME_AHEAD_MS,
      rebaseAfter: config.REBASE_AFTER_REJECTS,
    },
    feed: feedSettings(config),
    batcher: {
      maxTicks: config.BATCH_MAX_TICKS,
      idleEnvelopeMs: config.IDLE_ENVELOPE_MS,
      keepSnapshots: config.PUBLISH_FORMAT === 'single',
    },
  };
}

function feedSettings(config: StreamerConfig): FeedSettings {
  const pace = {
    backoffBaseMs: config.RECONNECT_BASE_MS,
    backoffMaxMs: config.RECONNECT_MAX_MS,
    subscribeChunk: config.SUBSCRIBE_CHUNK,
  };
  return {
    pool: {
      instrumentsPerConnection: config.INSTRUMENTS_PER_CONNECTION,
      softTarget: config.CONNECTION_SOFT_TARGET,
    },
    limit: {
      maxConnections: config.MAX_CONNECTIONS,
      reserveConnections: config.RESERVE_CONNECTIONS,
      limitRetryMs: config.LIMIT_RETRY_MS,
      limitRetryMaxMs: config.LIMIT_RETRY_MAX_MS,
    },
    connection: {
      ...pace,
      url: config.BROKER_WS_URL,
      silenceMs: config.FEED_SILENCE_MS,
      handshakeTimeoutMs: config.FEED_HANDSHAKE_TIMEOUT_MS,
      flowWindowMs: config.STALL_FLOW_WINDOW_MS,
    },
    upkeep: {
      ...pace,
      stall: {
        afterMs: config.STALL_AFTER_MS,
        flowWindowMs: config.STALL_FLOW_WINDOW_MS,
        quietGaps: config.STALL_QUIET_GAPS,
        aloneAfterMs: config.STALL_ALONE_AFTER_MS,
      },
      overlapMaxMs: config.OVERLAP_MAX_MS,
      softTarget: config.CONNECTION_SOFT_TARGET,
      compactFraction: config.COMPACT_BELOW_FRACTION,
      compactAfterMs: config.COMPACT_AFTER_MS,
    },
    capacityWarnFraction: config.CAPACITY_WARN_FRACTION,
    stallHours: config.STALL_HOURS,
  };
}

export function outboxSettings(config: StreamerConfig): OutboxSettings {
  return {
    maxFrames: config.ORDER_OUTBOX_MAX,
    maxBytes: config.ORDER_OUTBOX_MB * 1_000_000,
    timeoutMs: config.ORDER_QUEUE_TIMEOUT_MS,
    backoffBaseMs: config.ORDER_RETRY_BASE_MS,
    backoffMaxMs: config.ORDER_RETRY_MAX_MS,
  };
}

export function thresholdSettings(config: StreamerConfig): ThresholdSettings {
  return {
    subscriptions: { yellow: config.YELLOW_SUBSCRIPTIONS, red: config.RED_SUBSCRIPTIONS },
    connections: { yellow: config.YELLOW_CONNECTIONS, red: config.RED_CONNECTIONS },
    memory_mb: { yellow: config.YELLOW_MEMORY_MB, red: config.RED_MEMORY_MB },
    reconnects_per_hour: { yellow: config.YELLOW_RECONNECTS_PER_HOUR, red: config.RED_RECONNECTS_PER_HOUR },
  };
}

export function sinkSettings(config: StreamerConfig): {
  readonly sink: RedisSinkSettings;
  readonly breaker: BreakerSettings;
} {
  return {
    sink: {
      prefix: config.CHANNEL_PREFIX,
      format: config.PUBLISH_FORMAT,
      maxBatches: config.SINK_MAX_BATCHES,
      maxBytes: config.SINK_MAX_MB * 1_000_000,
      timeoutMs: config.SINK_TIMEOUT_MS,
    },
    breaker: {
      failuresToOpen: config.SINK_BREAKER_FAILURES,
      openMs: config.SINK_BREAKER_OPEN_MS,
      probes: config.SINK_BREAKER_PROBES,
    },
  };
}

/** Undefined: nothing synthetic is made. */
export function afterHoursSettings(config: StreamerConfig): AfterHoursSettings | undefined {
  if (config.AFTER_HOURS === 'off') return undefined;
  return {
    rounds: {
      seed: config.AFTER_HOURS_SEED,
      tickMs: config.AFTER_HOURS_TICK_MS,
      band: config.AFTER_HOURS_BAND_FRACTION,
      step: config.AFTER_HOURS_STEP_FRACTION,
    },
    quietMs: config.AFTER_HOURS_QUIET_MS,
    sessionQuietMs: config.AFTER_HOURS_SESSION_QUIET_MS,
    leadMs: config.AFTER_HOURS_LEAD_MS,
    returnMs: config.AFTER_HOURS_RETURN_MS,
  };
}

export function daySettings(config: StreamerConfig): TradingDaySettings {
  return { expiryGraceMs: config.EXPIRY_GRACE_MS, withoutDump: config.WITHOUT_DUMP };
}

export function reportSettings(config: StreamerConfig): {
  readonly account: AccountReportSettings;
  readonly activations: ActivationSettings;
} {
  return {
    account: {
      degradedAfterMs: config.ACCOUNT_DEGRADED_AFTER_MS,
      recoveredAfterMs: config.ACCOUNT_RECOVERED_AFTER_MS,
    },
    activations: { atOnce: config.ACTIVATIONS_AT_ONCE, perTurn: config.ACTIVATIONS_PER_TURN },
  };
}

export function leaseSettings(config: StreamerConfig, holder: string): LeaseKeeperSettings {
  return {
    holder,
    ttlMs: config.LEASE_TTL_MS,
    renewMs: config.LEASE_RENEW_MS,
    safetyMs: config.LEASE_SAFETY_MS,
    maxAccounts: config.MAX_ACCOUNTS,
  };
}

/** What the process has to end in after everything that handing over may take. */
export const EXIT_AFTER_MS = 500;

/** From the signal to the end of the process in any case. */
export function stopLimitMs(config: StreamerConfig): number {
  return config.SHUTDOWN_TIMEOUT_MS + EXIT_AFTER_MS;
}
