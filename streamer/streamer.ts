import type { Redis } from 'ioredis';

import type { Account, AccountSource } from '#shared/accounts/types.ts';
import { Breaker } from '#shared/breaker.ts';
import type { Clock } from '#shared/clock.ts';
import type { SubscriptionSource } from '#shared/subscriptions/types.ts';
import { AccountStreamer } from './account.ts';
import type { StreamerConfig } from './config.ts';
import { LeaseKeeper, type LeaseStore } from './control/leases.ts';
import { Loops } from './control/loops.ts';
import { listenForNudges } from './control/nudges.ts';
import { Reconciler } from './control/reconciler.ts';
import { streamerMetrics } from './health/metrics.ts';
import { healthReport, type RegistryFacts } from './health/status.ts';
import type { StreamerLogger } from './log.ts';
import { LastValues } from './publish/last-values.ts';
import { pubsubLimitProblem } from './publish/pubsub-limit.ts';
import { RedisSink } from './publish/redis-sink.ts';
import { ReplayLog } from './publish/replay-log.ts';
import { accountSettings, sinkSettings } from './settings.ts';

export interface StreamerParts {
  readonly config: StreamerConfig;
  readonly clock: Clock;
  readonly logger: StreamerLogger;
  readonly accounts: AccountSource;
  readonly subscriptions: SubscriptionSource;
  readonly leases: LeaseStore;
  /** A connection for publishing, and one of its own for nudges; both closed by the owner. */
  readonly redis: Redis;
  readonly nudgeRedis: Redis;
  /** The dump in force, for health only. */
  readRegistry(): Promise<RegistryFacts | undefined>;
  /** Keeps the clock near the one it follows. */
  followClock(): Promise<void>;
}

interface Held {
  readonly streamer: AccountStreamer;
  readonly reconciler: Reconciler;
  readonly lastValues: LastValues;
}

const CLOCK_EVERY_MS = 500;
const REGISTRY_EVERY_MS = 60_000;
const SAMPLE_EVERY_MS = 1_000;

/** The process: leases decide which accounts stream, reconcilers what, and the pipelines do. */
export class Streamer {
  readonly loops: Loops;
  readonly sink: RedisSink;
  readonly metrics: ReturnType<typeof streamerMetrics>;
  readonly #parts: StreamerParts;
  readonly #keeper: LeaseKeeper;
  readonly #held = new Map<string, Held>();
  readonly #sampled = new Map<string, number>();
  readonly #startedMs: number;
  #registry: RegistryFacts | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  #hasSeenAccounts = false;

  constructor(parts: StreamerParts) {
    const { config, clock, redis } = parts;
    this.#parts = parts;
    this.#startedMs = clock.wallMs();
    this.loops = new Loops(parts.logger);
    const settings = sinkSettings(config);
    const log =
      config.REPLAY_MB > 0 && config.PUBLISH_FORMAT === 'batch'
        ? new ReplayLog(redis, config.CHANNEL_PREFIX, config.REPLAY_MB * 1_000_000)
        : undefined;
    this.sink = new RedisSink(
      redis,
      settings.sink,
      { breaker: new Breaker(settings.breaker, clock), clock, log },
      {
        onReady: () => this.#flushAll(),
        onFailure: (kind, detail) => this.#sample(`redis ${kind}`, { detail }, 'publishing to Redis failed'),
      },
    );
    redis.on('ready', () => this.#redisIsBack());
    this.metrics = streamerMetrics({
      accounts: () => this.streamers(),
      sink: this.sink,
      loops: this.loops,
    });
    this.#keeper = new LeaseKeeper(
      parts.leases,
      clock,
      { holder: config.STREAMER_ID, safetyMs: config.LEASE_SAFETY_MS, maxAccounts: config.MAX_ACCOUNTS },
      {
        onAcquired: (account, lease) => this.#begin(account, lease),
        onLost: (accountId) => this.#end(accountId),
      },
    );
  }

  start(): void {
    const { config, logger } = this.#parts;
    listenForNudges(this.#parts.nudgeRedis, config.CHANNEL_PREFIX, {
      onNudge: (nudge) => this.#nudged(nudge.account_id, nudge.instrument_tokens),
      onListening: () => this.#eachHeld((held) => held.reconciler.checkMark()),
      onBadNudge: (problem) => this.#sample('bad nudge', { problem }, 'a nudge was not understood'),
    });
    this.loops.start('clock', CLOCK_EVERY_MS, () => this.#parts.followClock());
    this.loops.start('leases', config.LEASE_RENEW_MS, () => this.#keepLeases());
    this.loops.start('dirty marks', config.RECONCILE_MARK_MS, () =>
      this.#eachHeld((held) => held.reconciler.checkMark()),
    );
    this.loops.start('full comparison', config.RECONCILE_FULL_MS, () => this.compareAll());
    this.loops.start('last values', config.LAST_VALUES_EVERY_MS, () =>
      this.#eachHeld((held) => held.lastValues.flush()),
    );
    this.loops.start('registry', REGISTRY_EVERY_MS, async () => {
      this.#registry = await this.#parts.readRegistry();
    });
    this.#flushTimer = setInterval(() => this.#flushTick(), config.BATCH_MAX_MS);
    logger.info({ holder: config.STREAMER_ID, model: config.PRICING_MODEL }, 'streamer started');
  }

  /** Compares everything with the table, and writes all last values again in case Redis lost some. */
  async compareAll(): Promise<void> {
    await this.#eachHeld((held) => held.reconciler.compareAll());
    this.#repeatLastValues();
  }

  /** Stops connections, publishes what is left, gives the leases back. */
  async stop(): Promise<void> {
    await this.loops.stop();
    clearInterval(this.#flushTimer);
    for (const held of this.#held.values()) held.streamer.close();
    await this.sink.close(this.#parts.config.SHUTDOWN_TIMEOUT_MS);
    await this.#keeper.releaseAll();
    this.metrics.stop();
  }

  isReady(): boolean {
    return this.#hasSeenAccounts && this.sink.isConnected;
  }

  report(): ReturnType<typeof healthReport> {
    return healthReport({
      accounts: [...this.streamers()].map((streamer) => ({
        accountId: streamer.accountId,
        lease: this.#keeper.held(streamer.accountId),
        subscriptions: streamer.subscriptions,
        unplaced: streamer.pool.unplaced,
        lastTickMs: streamer.pipeline.lastTickMs,
        connections: streamer.pool.connections.map(({ state, size }) => ({ state, instruments: size })),
      })),
      redis: { connected: this.sink.isConnected, breaker: this.sink.breakerState },
      loops: this.loops.states,
      registry: this.#registry,
      uptimeS: Math.floor((this.#parts.clock.wallMs() - this.#startedMs) / 1_000),
    });
  }

  *streamers(): Generator<AccountStreamer> {
    for (const held of this.#held.values()) yield held.streamer;
  }

  async #eachHeld(work: (held: Held) => Promise<void>): Promise<void> {
    await Promise.all([...this.#held.values()].map(work));
  }

  async #keepLeases(): Promise<void> {
    const accounts = await this.#parts.accounts.listAccounts();
    const streaming = accounts.filter(
      (account) => account.status !== 'disabled' && account.session_version > 0,
    );
    await this.#keeper.keep(streaming);
    for (const account of streaming) {
      this.#held.get(account.account_id)?.streamer.sessionChanged(account.session_version);
    }
    this.#hasSeenAccounts = true;
  }

  #begin(account: Account, lease: number): void {
    const { config, clock, redis } = this.#parts;
    const accountId = account.account_id;
    const streamer = new AccountStreamer(
      accountId,
      accountSettings(config),
      {
        clock,
        sink: this.sink,
        accounts: this.#parts.accounts,
        random: Math.random,
        lease: () => this.#keeper.held(accountId),
      },
      {
        onChanged: (slot) => lastValues.changed(slot),
        onRemoved: (token) => lastValues.removed(token),
        onDown: (cause, detail) =>
          this.#sample(
            `down ${accountId} ${cause}`,
            { account_id: accountId, cause, detail },
            'connection lost',
          ),
        onText: (text) => this.#onText(accountId, text),
        onFrame: (durationMs) => this.metrics.observeFrame(durationMs),
      },
    );
    const lastValues = new LastValues({
      redis,
      prefix: config.CHANNEL_PREFIX,
      accountId,
      batchers: streamer.batchers,
      lease: () => this.#keeper.held(accountId),
      isRedisWell: () => this.sink.isConnected && this.sink.breakerState === 'closed',
      nowMs: () => clock.nowMs(),
    });
    streamer.pipeline.onPricingTime = (durationMs) => this.metrics.observePricing(durationMs);
    streamer.pipeline.onReject = (reason, detail) =>
      this.#sample(
        `reject ${accountId} ${reason}`,
        { account_id: accountId, reason, detail },
        'packet rejected',
      );
    const reconciler = new Reconciler(accountId, this.#parts.subscriptions, streamer);
    this.#held.set(accountId, { streamer, reconciler, lastValues });
    this.#parts.logger.info({ account_id: accountId, lease }, 'lease acquired');
    streamer.start();
    // Failed, it is made up for by the loop of dirty marks; the hash keeps what is old until a later start.
    reconciler
      .compareAll()
      .then(() => lastValues.forgetAllBut(new Set(streamer.current().keys())))
      .catch((error: Error) =>
        this.#parts.logger.error({ account_id: accountId, error: error.message }, 'first comparison failed'),
      );
  }

  async #end(accountId: string): Promise<void> {
    const held = this.#held.get(accountId);
    if (held === undefined) return;
    held.streamer.close();
    this.#held.delete(accountId);
    this.#parts.logger.info({ account_id: accountId }, 'lease ended');
  }

  #nudged(accountId: string, tokens: readonly number[]): void {
    const held = this.#held.get(accountId);
    if (held === undefined) return;
    held.reconciler
      .nudge(tokens)
      .catch((error: Error) =>
        this.#parts.logger.warn({ account_id: accountId, error: error.message }, 'a nudge was not followed'),
      );
  }

  #onText(accountId: string, text: string): void {
    this.#sample(`text ${accountId}`, { account_id: accountId, text: text.slice(0, 500) }, 'text frame');
  }

  #redisIsBack(): void {
    this.#repeatLastValues();
    this.#checkRedis().catch(() => {
      // Managed servers do not show their configuration: docs/streamer.md says what to set there.
    });
  }

  async #checkRedis(): Promise<void> {
    const [, limits = ''] = (await this.#parts.redis.config('GET', 'client-output-buffer-limit')) as string[];
    const problem = pubsubLimitProblem(limits);
    if (problem !== undefined)
      this.#sample('redis limits', { problem }, 'slow subscribers will be thrown out');
  }

  #repeatLastValues(): void {
    for (const streamer of this.streamers()) streamer.repeatLastValues();
  }

  #flushAll(): void {
    for (const streamer of this.streamers()) streamer.pipeline.flush();
  }

  #flushTick(): void {
    for (const streamer of this.streamers()) {
      streamer.pipeline.flush();
      streamer.pipeline.flushIdle();
    }
  }

  /** At most one line a second of each kind, with how many were left out. */
  #sample(kind: string, details: Record<string, unknown>, message: string): void {
    const nowMs = this.#parts.clock.wallMs();
    const before = this.#sampled.get(kind);
    if (before !== undefined && nowMs - before < SAMPLE_EVERY_MS) return;
    this.#sampled.set(kind, nowMs);
    this.#parts.logger.warn(details, message);
  }
}
