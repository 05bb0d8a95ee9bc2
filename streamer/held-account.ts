import type { Redis } from 'ioredis';
import type { AccountReports } from '#shared/accounts/reports.ts';
import type { Account, AccountSource } from '#shared/accounts/types.ts';
import type { SteadyClock } from '#shared/clock.ts';
import type { ActivationStore } from '#shared/subscriptions/activations.ts';
import type { SubscriptionSource } from '#shared/subscriptions/types.ts';
import { AccountStreamer } from './account.ts';
import type { AfterHours } from './after-hours/after-hours.ts';
import type { StreamerConfig } from './config.ts';
import { handBack, handOver } from './control/hand-over.ts';
import type { GivenAway } from './control/plan.ts';
import { Reconciler } from './control/reconciler.ts';
import type { DayKeeper } from './day/day-keeper.ts';
import { DayGate } from './day/gate.ts';
import type { StreamerMetrics } from './health/metrics.ts';
import type { StreamerLogger } from './log.ts';
import { OrderFrames } from './orders/order-frames.ts';
import type { OrderOutbox } from './orders/outbox.ts';
import { LastValues } from './publish/last-values.ts';
import { leaseGate } from './publish/lease-gate.ts';
import type { RedisSink } from './publish/redis-sink.ts';
import { AccountReporter } from './report/account-reporter.ts';
import { Activations } from './report/activations.ts';
import { feedView } from './report/feed-view.ts';
import type { SampledLog } from './sampled-log.ts';
import { accountSettings, reportSettings } from './settings.ts';

export interface HeldAccountParts {
  readonly config: StreamerConfig;
  readonly clock: SteadyClock;
  readonly logger: StreamerLogger;
  readonly sampled: SampledLog;
  readonly accounts: AccountSource;
  readonly subscriptions: SubscriptionSource;
  readonly reports: AccountReports;
  readonly activations: ActivationStore;
  readonly redis: Redis;
  readonly sink: RedisSink;
  readonly metrics: StreamerMetrics;
  readonly orders: OrderOutbox;
  readonly days: DayKeeper;
  /** Without it nothing synthetic is made. */
  readonly afterHours: AfterHours | undefined;
  /** Steady time of the newest tick of the process' other accounts; 0: none. */
  elsewhereMs(): number;
  /** The account's lease held, or undefined. */
  lease(): number | undefined;
  /** Redis knows of a newer lease. */
  fencedOff(): void;
}

const HAND_OVER_TIMEOUT_MS = 1_000;

/** All that runs for one account while its lease is held: its streamer, what it shall stream, its last values. */
export class HeldAccount {
  readonly accountId: string;
  readonly streamer: AccountStreamer;
  /** Between the rows and the streamer. */
  readonly gate: DayGate;
  readonly reconciler: Reconciler;
  readonly lastValues: LastValues;
  readonly reporter: AccountReporter;
  readonly #orders: OrderFrames;
  readonly #parts: HeldAccountParts;

  constructor(account: Account, parts: HeldAccountParts) {
    const accountId = account.account_id;
    this.accountId = accountId;
    this.#parts = parts;
    this.#orders = this.#newOrderFrames();
    this.streamer = this.#newStreamer();
    this.lastValues = new LastValues({
      redis: parts.redis,
      prefix: parts.config.CHANNEL_PREFIX,
      accountId,
      batchers: this.streamer.batchers,
      lease: () => parts.lease(),
      onFencedOff: () => parts.fencedOff(),
      isRedisWell: () => parts.sink.isConnected && parts.sink.breakerState === 'closed',
      nowMs: () => parts.clock.nowMs(),
      steadyMs: () => parts.clock.steadyMs(),
      onLost: () => this.#lastValuesLost(),
    });
    this.gate = new DayGate(this.streamer, parts.days.day, (change) => parts.days.turned(accountId, change));
    this.reconciler = new Reconciler(accountId, parts.subscriptions, this.gate, () =>
      this.streamer.repairConnections(),
    );
    this.reporter = this.#newReporter(account);
  }

  start(): void {
    this.#parts.afterHours?.join(this.streamer);
    this.streamer.start();
    // Failed, it is made up for by the loop of dirty marks; the hash keeps what is old until a later start.
    this.reconciler
      .compareAll()
      .then(() => this.lastValues.forgetAllBut(new Set(this.streamer.current().keys())))
      .catch((error: Error) =>
        this.#parts.logger.error(
          { account_id: this.accountId, error: error.message },
          'first comparison failed',
        ),
      );
  }

  /** What the table says of the account. */
  accountRead(account: Account): void {
    this.streamer.sessionChanged(account.session_version);
    this.reporter.accountRead(account);
  }

  nudged(tokens: readonly number[]): void {
    this.reconciler
      .nudge(tokens)
      .catch((error: Error) =>
        this.#parts.logger.warn(
          { account_id: this.accountId, error: error.message },
          'a nudge was not followed',
        ),
      );
  }

  close(): void {
    this.#parts.afterHours?.leave(this.streamer);
    this.streamer.close();
  }

  /** Ends in order, while the lease is still held. */
  async giveAway(why: GivenAway): Promise<void> {
    this.close();
    const end = why === 'unwanted' ? handBack : handOver;
    await end({ ...this, sink: this.#parts.sink }, HAND_OVER_TIMEOUT_MS);
  }

  #newStreamer(): AccountStreamer {
    const { config, clock, sink, accounts, metrics } = this.#parts;
    const streamer = new AccountStreamer(
      this.accountId,
      accountSettings(config),
      {
        clock,
        sink: leaseGate(sink, () => this.#parts.lease()),
        accounts,
        random: Math.random,
        lease: () => this.#parts.lease(),
        elsewhereMs: () => this.#parts.elsewhereMs(),
      },
      {
        onChanged: (slot) => this.lastValues.changed(slot),
        onRemoved: (token) => this.lastValues.removed(token),
        beforeFrame: () => this.gate.follow(),
        onDown: (cause, detail, link) => {
          this.#orders.lost(link);
          this.#warn(`down ${cause}`, { cause, detail }, 'connection lost');
        },
        onReplaced: (cause) => {
          // What a stalled link was sent, orders included, never came.
          if (cause === 'stalled') this.#orders.missed();
          this.#warn(`replaced ${cause}`, { cause }, 'connection replaced without a gap');
        },
        onNearlyFull: (used, capacity) =>
          this.#warn('nearly full', { used, capacity }, 'the connections are nearly full'),
        onSessionTaken: (version) => this.reporter.sessionAccepted(version),
        onSessionDead: (version) => {
          this.reporter.sessionDied(version);
          this.#warn('session dead', { session_version: version }, 'session refused');
        },
        onOrder: (text, link) => this.#orders.received(link, text),
        onOpen: (link) => this.#orders.opened(link),
        onLeft: (link) => this.#orders.left(link),
        onText: (text) => this.#warn('text', { text: text.slice(0, 500) }, 'text frame'),
        onFrame: (durationMs) => metrics.observeFrame(durationMs),
      },
    );
    streamer.pipeline.onPricingTime = (durationMs) => metrics.observePricing(durationMs);
    streamer.pipeline.onReject = (reason, detail) =>
      this.#warn(`reject ${reason}`, { reason, detail }, 'packet rejected');
    return streamer;
  }

  #newReporter(account: Account): AccountReporter {
    const { config, clock, reports, activations: store, lease } = this.#parts;
    const settings = reportSettings(config);
    return new AccountReporter(account, settings.account, {
      clock,
      reports,
      activations: new Activations(this.accountId, settings.activations, store, this.streamer),
      lease: () => lease(),
      feed: () => feedView(this.streamer),
      onTold: (what, details) => this.#parts.logger.warn({ account_id: this.accountId, ...details }, what),
    });
  }

  #lastValuesLost(): void {
    this.#warn('last values lost', {}, 'Redis has lost the last values: they are written again');
    this.streamer.repeatLastValues();
  }

  #newOrderFrames(): OrderFrames {
    const { orders, lease } = this.#parts;
    return new OrderFrames({
      accountId: this.accountId,
      outbox: orders,
      counts: orders.counts.of(this.accountId),
      lease: () => lease(),
      onMalformed: (problem, details) =>
        this.#warn('malformed order', { problem, ...details }, 'an order frame was not understood'),
    });
  }

  #warn(kind: string, details: Record<string, unknown>, message: string): void {
    const { sampled } = this.#parts;
    sampled.warn(`${this.accountId} ${kind}`, { account_id: this.accountId, ...details }, message);
  }
}
