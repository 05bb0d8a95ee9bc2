import { Redis } from 'ioredis';
import { redisNames, TICK_CHANNELS, type TickChannel } from '#shared/messages/channels.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';
import { Pauses } from './pauses.ts';
import { keyOf, type TickKey } from './tick-key.ts';

/**
 * What the envelopes themselves told of loss, in market time, epoch ms: from the newest tick read before to the
 * envelope after. Ticks, not envelopes, because a busy machine publishes late.
 */
export type Told = {
  readonly account_id: string;
  readonly channel: TickChannel;
  readonly fromMs: number;
  readonly toMs: number;
} & (
  | { readonly type: 'hole'; readonly lease: number; readonly from: number; readonly to: number }
  | { readonly type: 'folded'; readonly ticks: number }
);

/** An account went from one lease to the next: from the newest tick of the one to the first envelope of the other. */
export interface LeaseChange {
  readonly account_id: string;
  readonly before: number;
  readonly after: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** An envelope of a lease that was already succeeded: two published for the account at once. */
export interface LateEnvelope {
  readonly account_id: string;
  readonly channel: TickChannel;
  readonly lease: number;
  readonly newest: number;
  readonly ticks: number;
}

interface Position {
  readonly lease: number;
  readonly seq: number;
  /** Of the newest tick read; before the first one, of the envelope. */
  readonly tickMs: number;
}

/**
 * A bare subscriber that goes by the rules for readers: each envelope once, none of a lease lower than one seen for
 * the account. It keeps a number a tick instead of the tick, so that it can read a whole market for long.
 */
export class FleetReader {
  /** By instrument, in the order of reading. */
  readonly read = new Map<number, TickKey[]>();
  readonly pauses = new Pauses();
  readonly told: Told[] = [];
  readonly leaseChanges: LeaseChange[] = [];
  readonly late: LateEnvelope[] = [];
  /** When an instrument's first tick of each lease came: market time of its envelope. */
  readonly firsts = new Map<number, { readonly lease: number; readonly tsMs: number }[]>();
  mockTicks = 0;
  readonly prefix: string;
  readonly #redis: Redis | undefined;
  readonly #accounts = new Map<string, Position>();
  readonly #channels = new Map<string, Position>();

  /** Without a URL it reads what it is given by `take` alone. */
  constructor(redisUrl: string | undefined, prefix: string) {
    this.prefix = prefix;
    this.#redis = redisUrl === undefined ? undefined : this.#subscribe(redisUrl);
  }

  stop(): void {
    this.#redis?.disconnect();
  }

  /** The newest lease seen for the account. */
  leaseOf(accountId: string): number | undefined {
    return this.#accounts.get(accountId)?.lease;
  }

  /** As if the envelope had been read from the channel at `nowMs`, monotonic. */
  take(channel: TickChannel, envelope: TickEnvelope, nowMs: number): void {
    const { account_id, lease, seq, ts, ticks } = envelope;
    const newest = this.#accounts.get(account_id);
    if (newest !== undefined && lease < newest.lease) {
      this.late.push({ account_id, channel, lease, newest: newest.lease, ticks: ticks.length });
      return;
    }
    if (newest !== undefined && lease > newest.lease) {
      const change = { account_id, before: newest.lease, after: lease, fromMs: newest.tickMs, toMs: ts };
      this.leaseChanges.push(change);
    }
    const tickMs = Math.max(0, ...ticks.map((tick) => tick.exchange_ts ?? 0));
    const newestMs = (before: Position | undefined) => Math.max(before?.tickMs ?? 0, tickMs) || ts;
    this.#accounts.set(account_id, { lease, seq, tickMs: newestMs(newest) });
    const name = `${account_id}/${channel}`;
    const before = this.#channels.get(name);
    if (before?.lease === lease && seq <= before.seq) return;
    this.#note(channel, envelope, before);
    this.#channels.set(name, { lease, seq, tickMs: newestMs(before) });
    for (const tick of ticks) {
      const { instrument_token } = tick;
      this.#of(instrument_token).push(keyOf(tick));
      this.#noteFirst(instrument_token, lease, ts);
      this.pauses.arrived(instrument_token, nowMs);
      if (tick.is_mock) this.mockTicks += 1;
    }
  }

  /** Envelopes start from 1 with each lease; only the first lease that a reader meets may be under way already. */
  #note(channel: TickChannel, envelope: TickEnvelope, before: Position | undefined): void {
    const { account_id, lease, seq, ts: toMs, folded } = envelope;
    const fromMs = before?.tickMs ?? toMs;
    const isKnown = this.leaseChanges.some((each) => each.account_id === account_id && each.after === lease);
    const expected = before?.lease === lease ? before.seq + 1 : isKnown ? 1 : seq;
    const at = { account_id, channel, fromMs, toMs };
    if (seq > expected) this.told.push({ type: 'hole', ...at, lease, from: expected, to: seq - 1 });
    if (folded > 0) this.told.push({ type: 'folded', ...at, ticks: folded });
  }

  #subscribe(redisUrl: string): Redis {
    const channels = TICK_CHANNELS.map((channel) => redisNames(this.prefix).ticks(channel));
    const redis = new Redis(redisUrl, {
      maxRetriesPerRequest: null,
      autoResubscribe: false,
      retryStrategy: () => 100,
    });
    redis.on('error', () => {});
    // Once a connection is lost the subscription may fail too; then the next one subscribes.
    redis.on('ready', () => void redis.subscribe(...channels).catch(() => {}));
    redis.on('message', (name: string, text: string) =>
      this.take(name.slice(this.prefix.length + 1) as TickChannel, JSON.parse(text), performance.now()),
    );
    return redis;
  }

  #of(token: number): TickKey[] {
    let keys = this.read.get(token);
    if (keys === undefined) {
      keys = [];
      this.read.set(token, keys);
    }
    return keys;
  }

  #noteFirst(token: number, lease: number, tsMs: number): void {
    const firsts = this.firsts.get(token);
    if (firsts === undefined) this.firsts.set(token, [{ lease, tsMs }]);
    else if (firsts.at(-1)!.lease !== lease) firsts.push({ lease, tsMs });
  }
}
