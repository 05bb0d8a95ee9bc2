import type { Redis } from 'ioredis';
import type { AccountReports } from '#shared/accounts/reports.ts';
import type { Account, AccountSource } from '#shared/accounts/types.ts';
import { Breaker } from '#shared/breaker.ts';
import type { SteadyClock } from '#shared/clock.ts';
import type { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';
import type { ActivationStore } from '#shared/subscriptions/activations.ts';
import type { SubscriptionSource } from '#shared/subscriptions/types.ts';
import type { AccountStreamer } from './account.ts';
import { AfterHours } from './after-hours/after-hours.ts';
import type { StreamerConfig } from './config.ts';
import { AccountShare } from './control/account-share.ts';
import { eachAccount } from './control/each-account.ts';
import type { LeaseStore, MemberStore } from './control/leases.ts';
import { type LoopOptions, Loops } from './control/loops.ts';
import { controlMetrics } from './control/metrics.ts';
import { listenForNudges } from './control/nudges.ts';
import type { GivenAway } from './control/plan.ts';
import { DayKeeper } from './day/day-keeper.ts';
import type { DayGate } from './day/gate.ts';
import { dayMetrics } from './day/metrics.ts';
import type { DumpReader } from './day/registry.ts';
import { TEND_EVERY_MS } from './feed/account-feed.ts';
import { streamerMetrics } from './health/metrics.ts';
import { healthReport } from './health/status.ts';
import { residentMb } from './health/thresholds.ts';
import { HeldAccount } from './held-account.ts';
import type { StreamerLogger } from './log.ts';
import { orderMetrics } from './orders/metrics.ts';
import { OrderOutbox } from './orders/outbox.ts';
import { pubsubLimitProblem } from './publish/pubsub-limit.ts';
import { RedisSink } from './publish/redis-sink.ts';
import { ReplayLog } from './publish/replay-log.ts';
import { reportMetrics } from './report/metrics.ts';
import { SampledLog } from './sampled-log.ts';
import {
  afterHoursSettings,
  daySettings,
  outboxSettings,
  sinkSettings,
  thresholdSettings,
} from './settings.ts';

export interface StreamerParts {
  readonly config: StreamerConfig;
  readonly clock: SteadyClock;
  readonly logger: StreamerLogger;
  readonly accounts: AccountSource;
  readonly subscriptions: SubscriptionSource;
  readonly leases: LeaseStore;
  readonly members: MemberStore;
  readonly reports: AccountReports;
  readonly activations: ActivationStore;
  /** A connection for publishing, and one of its own for nudges; both closed by the owner. */
  readonly redis: Redis;
  readonly nudgeRedis: Redis;
  /** Where order frames go; without it they are dropped and counted. */
  readonly orderUpdates?: OrderUpdatesQueue | undefined;
  readonly readRegistry: DumpReader;
  /** Keeps the clock near the one it follows. */
  followClock(): Promise<void>;
}

type HeldWork = (held: HeldAccount) => Promise<void> | void;

const CLOCK_EVERY_MS = 500;
const DIRTY_MARKS = 'dirty marks';
const MIN_STOP_MS = 100;

/** The process: leases decide which accounts stream, reconcilers what, and the pipelines do. */
export class Streamer {
  readonly loops: Loops;
  readonly sink: RedisSink;
  readonly metrics: ReturnType<typeof streamerMetrics>;
  readonly orders: OrderOutbox;
  readonly #parts: StreamerParts;
  readonly #share: AccountShare;
  readonly #held = new Map<string, HeldAccount>();
  readonly #days: DayKeeper;
  readonly #afterHours: AfterHours | undefined;
  readonly #sampled: SampledLog;
  readonly #startedMs: number;
  readonly #compareHeld: () => Promise<void>;

  constructor(parts: StreamerParts) {
    const { config, clock, redis } = parts;
    this.#parts = parts;
    this.#startedMs = clock.steadyMs();
    this.#compareHeld = this.#overHeld(config.RECONCILE_FULL_MS, (held) => held.reconciler.compareAll());
    this.#sampled = new SampledLog(parts.logger, clock);
    this.loops = new Loops(parts.logger);
    this.#days = new DayKeeper({ ...parts, settings: daySettings(config), readDump: parts.readRegistry });
    const settings = sinkSettings(config);
    const log =
      config.REPLAY_MB > 0 && config.PUBLISH_FORMAT === 'batch'
        ? new ReplayLog(redis, config.CHANNEL_PREFIX, config.REPLAY_MB * 1_000_000)
        : undefined;
    // A breaker of one process only measures: no set clock may hold it open.
    const steady = { wallMs: () => clock.steadyMs() };
    this.sink = new RedisSink(
      redis,
      settings.sink,
      { breaker: new Breaker(settings.breaker, steady), clock, log },
      {
        onReady: () => this.#flushAll(),
        onFencedOff: (accountId) => this.#fencedOff(accountId),
        onFailure: (kind, detail) =>
          this.#sampled.warn(`redis ${kind}`, { detail }, 'publishing to Redis failed'),
      },
    );
    const afterHours = afterHoursSettings(config);
    this.#afterHours = afterHours && new AfterHours(afterHours, clock, this.sink);
    redis.on('ready', () => this.#redisIsBack());
    this.metrics = streamerMetrics({
      accounts: () => this.streamers(),
      thresholds: thresholdSettings(config),
      sink: this.sink,
      loops: this.loops,
    });
    dayMetrics(this.metrics.registry, { day: this.#days, gates: () => this.#gates() });
    this.orders = new OrderOutbox(outboxSettings(config), {
      queue: parts.orderUpdates,
      clock,
      logger: parts.logger,
      sampled: this.#sampled,
      random: Math.random,
    });
    orderMetrics(this.metrics.registry, this.orders);
    reportMetrics(this.metrics.registry, () => [...this.#held].map(([id, held]) => [id, held.reporter]));
    this.#share = new AccountShare(
      { ...parts, loops: this.loops, ready: () => this.#days.ready() },
      {
        onAcquired: (account, lease) => this.#begin(account, lease),
        onLost: (accountId) => this.#lost(accountId),
        onGivingAway: (accountId, why) => this.#giveAway(accountId, why),
        onSeen: (account) => this.#held.get(account.account_id)?.accountRead(account),
      },
    );
    controlMetrics(this.metrics.registry, {
      keeper: this.#share.keeper,
      unreadable: () => this.#share.unreadable.size,
      sink: this.sink,
      reconcilers: () => [...this.#held].map(([id, held]) => [id, held.reconciler]),
    });
  }

  start(): void {
    const { config, logger } = this.#parts;
    listenForNudges(this.#parts.nudgeRedis, config.CHANNEL_PREFIX, {
      onNudge: (nudge) => this.#held.get(nudge.account_id)?.nudged(nudge.instrument_tokens),
      onLeaseNudge: ({ holder }) => this.#share.look(holder),
      onListening: () => this.loops.poke(DIRTY_MARKS),
      onBadNudge: (problem) => this.#sampled.warn('bad nudge', { problem }, 'a nudge was not understood'),
    });
    this.loops.start('clock', CLOCK_EVERY_MS, () => this.#parts.followClock());
    this.#share.start();
    const isRemote = { isVital: false };
    this.#eachHeld(DIRTY_MARKS, config.RECONCILE_MARK_MS, (held) => held.reconciler.checkMark(), isRemote);
    this.loops.start('full comparison', config.RECONCILE_FULL_MS, () => this.compareAll(), isRemote);
    this.#eachHeld('last values', config.LAST_VALUES_EVERY_MS, (held) => held.lastValues.flush());
    this.loops.start('registry', config.REGISTRY_LOOK_MS, () => this.#days.registry.look(), isRemote);
    this.loops.start('day', config.DAY_LOOK_MS, () => this.#days.look(this.#gates()));
    const afterHours = this.#afterHours;
    if (afterHours)
      this.loops.start('after hours', afterHours.turnMs, () => afterHours.turn(), { isVital: false });
    this.#eachHeld('accounts', config.REPORT_EVERY_MS, (held) => held.reporter.look());
    this.#eachHeld('reports', config.REPORT_EVERY_MS, (held) => held.reporter.tell(), isRemote);
    this.#eachHeld('connections', TEND_EVERY_MS, (held) => held.streamer.feed.tend());
    this.loops.start('flush', config.BATCH_MAX_MS, () => this.#flushTick(), {
      maxPauseMs: config.BATCH_MAX_MS,
    });
    logger.info({ holder: this.#share.holder, model: config.PRICING_MODEL }, 'streamer started');
  }

  /** Compares everything with the table, and writes all last values again in case Redis lost some. */
  async compareAll(): Promise<void> {
    await this.#compareHeld().finally(() => this.#repeatLastValues());
  }

  /** Hands every account over: links closed, what is left published, the lease given back. */
  async stop(): Promise<void> {
    const { config, clock } = this.#parts;
    const deadlineMs = clock.steadyMs() + config.SHUTDOWN_TIMEOUT_MS;
    const leftMs = () => Math.max(MIN_STOP_MS, deadlineMs - clock.steadyMs());
    await this.loops.stop();
    await this.#share.leave(leftMs());
    for (const held of this.#held.values()) held.close();
    await Promise.all([this.orders.close(leftMs()), this.sink.close(leftMs())]);
    this.metrics.stop();
  }

  isReady(): boolean {
    return this.#share.hasSeenAccounts && this.sink.isConnected;
  }

  report(): ReturnType<typeof healthReport> {
    return healthReport({
      accounts: [...this.#held.values()].map(({ streamer, gate, reporter }) => ({
        accountId: streamer.accountId,
        lease: this.#share.keeper.held(streamer.accountId),
        subscriptions: streamer.subscriptions,
        feed: streamer.feed.report(),
        reconnectsPerHour: streamer.feed.troublesInHour,
        held: gate.held,
        report: reporter.report,
        lastTickMs: streamer.pipeline.lastTickMs,
      })),
      redis: { connected: this.sink.isConnected, breaker: this.sink.breakerState },
      loops: this.loops.states,
      registry: this.#days.registryFacts(),
      market: this.#days.market(),
      source: this.#afterHours?.source ?? 'real',
      memoryMb: residentMb(),
      thresholds: thresholdSettings(this.#parts.config),
      uptimeS: Math.floor((this.#parts.clock.steadyMs() - this.#startedMs) / 1_000),
    });
  }

  *streamers(): Generator<AccountStreamer> {
    for (const held of this.#held.values()) yield held.streamer;
  }

  *#gates(): Generator<readonly [accountId: string, gate: DayGate]> {
    for (const { accountId, gate } of this.#held.values()) yield [accountId, gate];
  }

  #newestFlowMs(besides: string): number {
    const others = [...this.streamers()].filter(({ accountId }) => accountId !== besides);
    return Math.max(0, ...others.map(({ feed }) => feed.lastFlowMs));
  }

  #overHeld(patienceMs: number, work: HeldWork): () => Promise<void> {
    return eachAccount(() => this.#held.values(), patienceMs, work);
  }

  /** Without back-off: an account that fails keeps no other one back. */
  #eachHeld(name: string, pauseMs: number, work: HeldWork, options: LoopOptions = {}): void {
    this.loops.start(name, pauseMs, this.#overHeld(pauseMs, work), { ...options, maxPauseMs: pauseMs });
  }

  #begin(account: Account, lease: number): void {
    const { account_id } = account;
    const held = new HeldAccount(account, {
      ...this.#parts,
      sampled: this.#sampled,
      sink: this.sink,
      metrics: this.metrics,
      orders: this.orders,
      days: this.#days,
      afterHours: this.#afterHours,
      lease: () => this.#share.keeper.held(account_id),
      elsewhereMs: () => this.#newestFlowMs(account_id),
      fencedOff: () => this.#fencedOff(account_id),
    });
    this.#held.get(account_id)?.close();
    this.#held.set(account_id, held);
    this.#parts.logger.info({ account_id, lease }, 'lease acquired');
    held.start();
  }

  #lost(account_id: string): void {
    const held = this.#held.get(account_id);
    held?.close();
    this.#held.delete(account_id);
    this.#parts.logger.warn({ account_id, ticks_discarded: held?.streamer.abandon() ?? 0 }, 'lease lost');
  }

  async #giveAway(account_id: string, why: GivenAway): Promise<void> {
    const held = this.#held.get(account_id);
    this.#held.delete(account_id);
    await held?.giveAway(why).catch((error: Error) => {
      this.#parts.logger.error(
        { account_id, error: error.message },
        'an account was not given away in order',
      );
    });
    this.#parts.logger.info({ account_id, why }, 'lease given away');
  }

  #fencedOff(account_id: string): void {
    this.#sampled.warn(`${account_id} fenced off`, { account_id }, 'another streamer has a newer lease');
    this.#share.fencedOff();
  }

  #redisIsBack(): void {
    this.#repeatLastValues();
    this.#share.look();
    this.#checkRedis().catch(() => {
      // Managed servers do not show their configuration: docs/streamer.md says what to set there.
    });
  }

  async #checkRedis(): Promise<void> {
    const [, limits = ''] = (await this.#parts.redis.config('GET', 'client-output-buffer-limit')) as string[];
    const problem = pubsubLimitProblem(limits);
    if (problem !== undefined)
      this.#sampled.warn('redis limits', { problem }, 'slow subscribers will be thrown out');
  }

  #repeatLastValues(): void {
    for (const streamer of this.streamers()) streamer.repeatLastValues();
  }

  #flushAll(): void {
    for (const streamer of this.streamers()) streamer.pipeline.flush();
  }

  #flushTick(): void {
    this.#share.settleDoubts();
    for (const streamer of this.streamers()) {
      streamer.pipeline.flush();
      streamer.pipeline.flushIdle();
    }
  }
}
