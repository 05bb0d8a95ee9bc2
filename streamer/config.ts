import { hostname } from 'node:os';
import { z } from 'zod';
import { expiryGraceSchema } from '#shared/market/expiry-grace.ts';
import { PRICING_MODELS } from '#shared/market/greeks.ts';
import { DEFAULT_CHANNEL_PREFIX } from '#shared/messages/channels.ts';
import { DEFAULT_BROKER_WS_URL, ENV, STAGE_NAMES, stageNames } from '#shared/names.ts';

const count = (fallback: number) => z.coerce.number().int().min(1).default(fallback);
const countOrNone = (fallback: number) => z.coerce.number().int().min(0).default(fallback);
const fraction = (fallback: number) => z.coerce.number().min(0).max(10).default(fallback);

/** What health and metrics judge; each has a yellow and a red number. */
const THRESHOLDS = ['SUBSCRIPTIONS', 'CONNECTIONS', 'MEMORY_MB', 'RECONNECTS_PER_HOUR'] as const;

const schema = z
  .object({
    [ENV.stage]: z.enum(STAGE_NAMES).default('local'),
    [ENV.table]: z.string().optional(),
    [ENV.bucket]: z.string().optional(),
    [ENV.redisUrl]: z.url({ protocol: /^rediss?$/ }),
    [ENV.channelPrefix]: z
      .string()
      .regex(/^[\w:.-]{1,64}$/)
      .default(DEFAULT_CHANNEL_PREFIX),
    [ENV.brokerWsUrl]: z.url({ protocol: /^wss?$/ }).default(DEFAULT_BROKER_WS_URL),
    STREAMER_HOST: z.string().default('127.0.0.1'),
    STREAMER_PORT: z.coerce.number().int().min(0).max(65_535).default(4571),
    STREAMER_ID: z.string().default(`${hostname()}:${process.pid}`),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    MAX_ACCOUNTS: count(1_000),
    MAX_CONNECTIONS: count(3),
    RESERVE_CONNECTIONS: countOrNone(1),
    INSTRUMENTS_PER_CONNECTION: count(3_000),
    CONNECTION_SOFT_TARGET: count(1_500),
    SUBSCRIBE_CHUNK: z.coerce.number().int().min(1).max(3_000).default(500),
    FEED_SILENCE_MS: count(5_000),
    FEED_HANDSHAKE_TIMEOUT_MS: count(7_000),
    RECONNECT_BASE_MS: count(250),
    RECONNECT_MAX_MS: count(30_000),
    LIMIT_RETRY_MS: count(10_000),
    LIMIT_RETRY_MAX_MS: count(600_000),
    OVERLAP_MAX_MS: count(5_000),
    STALL_AFTER_MS: count(15_000),
    STALL_FLOW_WINDOW_MS: count(60_000),
    STALL_QUIET_GAPS: count(10),
    STALL_ALONE_AFTER_MS: countOrNone(30_000),
    STALL_HOURS: z.enum(['market', 'always']).default('market'),
    COMPACT_BELOW_FRACTION: z.coerce.number().min(0).max(0.9).default(0.5),
    COMPACT_AFTER_MS: count(60_000),
    CAPACITY_WARN_FRACTION: z.coerce.number().min(0).max(1).default(0.8),
    YELLOW_SUBSCRIPTIONS: count(1_500),
    RED_SUBSCRIPTIONS: count(2_000),
    YELLOW_CONNECTIONS: count(2),
    RED_CONNECTIONS: count(3),
    YELLOW_MEMORY_MB: count(150),
    RED_MEMORY_MB: count(250),
    YELLOW_RECONNECTS_PER_HOUR: count(5),
    RED_RECONNECTS_PER_HOUR: count(10),
    PRICING_MODEL: z.enum(PRICING_MODELS).default('black_scholes_spot'),
    RISK_FREE_RATE: fraction(0.1),
    DIVIDEND_YIELD: fraction(0),
    IV_STALE_AFTER_MS: countOrNone(5_000),
    MAX_SPREAD_RUPEES: z.coerce.number().positive().default(0.5),
    MAX_SPREAD_FRACTION: fraction(0.25),
    MAX_PRICE_RUPEES: z.coerce.number().positive().default(10_000_000),
    MAX_INDEX_MOVE_FRACTION: fraction(0.2),
    MAX_MOVE_FRACTION: fraction(0.5),
    MAX_TIME_AHEAD_MS: count(60_000),
    REBASE_AFTER_REJECTS: count(8),
    AFTER_HOURS: z.enum(['off', 'simulate']).default('off'),
    AFTER_HOURS_TICK_MS: count(1_000),
    AFTER_HOURS_BAND_FRACTION: z.coerce.number().min(0).max(0.2).default(0.005),
    AFTER_HOURS_STEP_FRACTION: z.coerce.number().positive().max(0.2).default(0.0002),
    AFTER_HOURS_SEED: z.coerce.number().int().default(1),
    AFTER_HOURS_QUIET_MS: count(15_000),
    AFTER_HOURS_SESSION_QUIET_MS: count(900_000),
    AFTER_HOURS_LEAD_MS: z.coerce.number().int().min(0).max(3_600_000).default(60_000),
    AFTER_HOURS_RETURN_MS: count(600_000),
    BATCH_MAX_MS: count(100),
    BATCH_MAX_TICKS: count(1_000),
    IDLE_ENVELOPE_MS: count(1_000),
    LAST_VALUES_EVERY_MS: count(25),
    PUBLISH_FORMAT: z.enum(['batch', 'single']).default('batch'),
    REPLAY_MB: z.coerce.number().min(0).default(64),
    SINK_MAX_BATCHES: count(64),
    SINK_MAX_MB: z.coerce.number().positive().default(16),
    SINK_TIMEOUT_MS: count(2_000),
    SINK_BREAKER_FAILURES: count(10),
    SINK_BREAKER_OPEN_MS: count(60_000),
    SINK_BREAKER_PROBES: count(3),
    LEASE_TTL_MS: count(10_000),
    LEASE_RENEW_MS: count(3_000),
    LEASE_WATCH_MS: count(1_000),
    LEASE_SAFETY_MS: countOrNone(1_000),
    RECONCILE_MARK_MS: count(2_000),
    RECONCILE_FULL_MS: count(300_000),
    SHUTDOWN_TIMEOUT_MS: count(5_000),
    REPORT_EVERY_MS: count(1_000),
    ACCOUNT_DEGRADED_AFTER_MS: count(60_000),
    ACCOUNT_RECOVERED_AFTER_MS: count(30_000),
    ACTIVATIONS_AT_ONCE: count(4),
    ACTIVATIONS_PER_TURN: count(200),
    [ENV.orderUpdatesQueueUrl]: z.url().optional(),
    ORDER_OUTBOX_MAX: count(10_000),
    ORDER_OUTBOX_MB: z.coerce.number().positive().default(16),
    ORDER_QUEUE_TIMEOUT_MS: count(5_000),
    ORDER_RETRY_BASE_MS: count(200),
    ORDER_RETRY_MAX_MS: count(5_000),
    DAY_LOOK_MS: count(1_000),
    REGISTRY_LOOK_MS: count(5_000),
    [ENV.expiryGraceMs]: expiryGraceSchema,
    WITHOUT_DUMP: z.enum(['stream', 'hold']).default('stream'),
  })
  .refine((value) => value.RESERVE_CONNECTIONS < value.MAX_CONNECTIONS, {
    path: ['RESERVE_CONNECTIONS'],
    message: 'must leave at least one of MAX_CONNECTIONS',
  })
  .refine((value) => value.LEASE_RENEW_MS + value.LEASE_SAFETY_MS < value.LEASE_TTL_MS, {
    path: ['LEASE_RENEW_MS'],
    message: 'must end, with LEASE_SAFETY_MS, before LEASE_TTL_MS',
  })
  .refine((value) => value.LEASE_WATCH_MS * 3 <= value.LEASE_TTL_MS, {
    path: ['LEASE_WATCH_MS'],
    message: 'must fit three times into LEASE_TTL_MS',
  })
  .check(({ value, issues }) => {
    for (const name of THRESHOLDS) {
      if (value[`RED_${name}`] >= value[`YELLOW_${name}`]) continue;
      const message = `must not be below YELLOW_${name}`;
      issues.push({ code: 'custom', input: value, path: [`RED_${name}`], message });
    }
  });

export type StreamerConfig = z.infer<typeof schema> & { readonly tableName: string };

export class ConfigError extends Error {
  readonly code = 'config_invalid';
}

/**
 * An empty variable counts as none: as a number it would be 0.
 * @throws ConfigError naming every variable that cannot be used, never its value: a URL may hold a password
 */
export function readConfig(env: NodeJS.ProcessEnv): StreamerConfig {
  const given = Object.entries(env).filter(([, value]) => value !== '');
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`these environment variables cannot be used: ${reasons.join('; ')}`);
  }
  return { ...parsed.data, tableName: parsed.data.TABLE_NAME ?? stageNames(parsed.data.STAGE).table };
}
