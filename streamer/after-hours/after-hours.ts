import type { SteadyClock } from '#shared/clock.ts';
import type { Slot } from '../enrich/slot.ts';
import type { TickPipeline } from '../pipeline.ts';
import type { BatchSink } from '../publish/batcher.ts';
import type { RedisSink } from '../publish/redis-sink.ts';
import { isLive } from './live.ts';
import { freedomAt, nightEndMs } from './night.ts';
import { type RoundSettings, Rounds, type SimulatedAccount } from './rounds.ts';

export interface AfterHoursSettings {
  readonly rounds: RoundSettings;
  /** For so long no real tick may have shown a market that trades, before synthetic ones begin. */
  readonly quietMs: number;
  /** The same in a session that the calendar does not know: a feed that is away for a while does not end it. */
  readonly sessionQuietMs: number;
  /** So long before the session's first pre-open they end, market time. */
  readonly leadMs: number;
  /** So long before that end prices go back to the last real ones, market time. */
  readonly returnMs: number;
}

export interface MemberAccount extends SimulatedAccount {
  readonly pipeline: Pick<TickPipeline, 'onReal'>;
}

/** Where the published ticks come from. */
export type TickSource = 'real' | 'simulated';

/** Turns a second and a round: how finely a round is spread over its time. */
const TURNS_A_ROUND = 20;
const LEAST_TURN_MS = 10;

/**
 * Out of market hours it lets every instrument of the process's accounts tick on from its last real values. By day it
 * does nothing, and no tick asks it anything. At night it looks at every real tick: the first one of a market that
 * trades, of whichever account, ends all synthetic ones before it is published itself.
 */
export class AfterHours {
  readonly #settings: AfterHoursSettings;
  readonly #clock: SteadyClock;
  readonly #sink: Pick<BatchSink, 'isIdle'> & Pick<RedisSink, 'withdrawMocks'>;
  readonly #members = new Map<MemberAccount, Rounds>();
  #isNight = false;
  /** Steady time of the newest sign that the market trades; nightfall counts as one, and so does a start at night. */
  #liveAtMs = 0;
  /** Steady time of nightfall, or of a start at night. */
  #nightSinceMs = 0;
  #isUnknownSession = false;
  /** Market time at which synthetic ticks began; infinite while there are none. */
  #sinceMs = Number.POSITIVE_INFINITY;

  constructor(
    settings: AfterHoursSettings,
    clock: SteadyClock,
    sink: Pick<BatchSink, 'isIdle'> & Pick<RedisSink, 'withdrawMocks'>,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#sink = sink;
  }

  get source(): TickSource {
    return this.#sinceMs < Number.POSITIVE_INFINITY ? 'simulated' : 'real';
  }

  /** How often `turn` wants to be called. */
  get turnMs(): number {
    return Math.max(LEAST_TURN_MS, this.#settings.rounds.tickMs / TURNS_A_ROUND);
  }

  join(account: MemberAccount): void {
    this.#members.set(account, new Rounds(account, this.#settings.rounds));
    this.#watch(account);
  }

  leave(account: MemberAccount): void {
    this.#members.delete(account);
    account.pipeline.onReal = undefined;
  }

  turn(): void {
    const nowMs = this.#clock.nowMs();
    const endMs = nightEndMs(nowMs, this.#settings.leadMs);
    this.#dayOrNight(endMs !== undefined);
    const steadyMs = this.#clock.steadyMs();
    const { quietMs, sessionQuietMs, returnMs } = this.#settings;
    const quietNeededMs = this.#isUnknownSession ? sessionQuietMs : quietMs;
    if (endMs === undefined || steadyMs - this.#liveAtMs < quietNeededMs) return;
    this.#isUnknownSession = false;
    // The market's clock may be set back.
    this.#sinceMs = Math.min(this.#sinceMs, nowMs);
    // What Redis cannot take at once is not made: nobody waits for it.
    if (!this.#sink.isIdle) return;
    const moment = { nowMs, steadyMs, freedom: freedomAt(nowMs, endMs, returnMs) };
    for (const rounds of this.#members.values()) rounds.turn(moment);
  }

  #dayOrNight(isNight: boolean): void {
    if (isNight === this.#isNight) return;
    this.#isNight = isNight;
    if (!isNight) this.#end();
    // The last ticks of the session may still be on their way.
    this.#liveAtMs = this.#clock.steadyMs();
    this.#nightSinceMs = this.#liveAtMs;
    this.#isUnknownSession = false;
    for (const account of this.#members.keys()) this.#watch(account);
  }

  #watch(account: MemberAccount): void {
    account.pipeline.onReal = this.#isNight ? this.#see : undefined;
  }

  /** A real packet that is about to replace the slot's values. */
  readonly #see = (slot: Slot, frame: DataView, offset: number, length: number): void => {
    const freshMs = this.#clock.nowMs() - this.#settings.quietMs;
    if (isLive(slot, frame, offset, length, Math.min(this.#sinceMs, freshMs))) {
      this.#liveAtMs = this.#clock.steadyMs();
      // No straggler of the session that closed.
      if (this.#liveAtMs - this.#nightSinceMs >= this.#settings.quietMs) this.#isUnknownSession = true;
      this.#end();
    }
    // The broker's answer to a subscription: the synthetic price starts from it anew.
    else slot.shown = slot;
  };

  #end(): void {
    if (this.source === 'real') return;
    this.#sinceMs = Number.POSITIVE_INFINITY;
    for (const rounds of this.#members.values()) rounds.end();
    this.#sink.withdrawMocks();
  }
}
