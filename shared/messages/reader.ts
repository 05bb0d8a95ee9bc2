import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Snapshot } from '../market/snapshot.ts';
import {
  CHANNEL_OF_KIND,
  DEFAULT_CHANNEL_PREFIX,
  redisNames,
  TICK_CHANNELS,
  type TickChannel,
} from './channels.ts';
import type { LastValue, TickEnvelope } from './envelope.ts';
import { Inbox, type Item, type ReadEnvelope } from './inbox.ts';
import { comparePositions, type Gap, gapLength } from './sequence.ts';

export type { ReadEnvelope } from './inbox.ts';

export interface ReadTicksOptions {
  /** `redis://` or `rediss://`, with user and password where the server asks for them. */
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly channels?: readonly TickChannel[];
  /** `last_values`: first the newest value of every instrument, then what follows it; `live` (default): only that. */
  readonly from?: 'live' | 'last_values';
  /** Ticks that wait for a slow consumer before they are folded by instrument. */
  readonly maxWaitingTicks?: number;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_WAITING_TICKS = 100_000;
const POLL_MS = 100;
/** An idle channel speaks once a second: after this every stream that lives has been heard. */
const ALL_HEARD_MS = 1_300;
/** The hash is at most a second behind; a streamer that does not keep it up to date is not waited for longer. */
const GIVE_UP_MS = 5_000;

/**
 * Envelopes of the tick channels in order, without doubles, until the signal is aborted. What was missed is read
 * again from the replay log; what the log no longer has is counted in `missed` and made up for by the last values
 * of the channel. Envelopes of publishers that lost their lease are dropped. The connection comes back by itself.
 */
export async function* readTicks(options: ReadTicksOptions): AsyncGenerator<ReadEnvelope> {
  const reader = new TickReader(options);
  try {
    yield* reader.envelopes();
  } finally {
    reader.close();
  }
}

/**
 * The same as a callback, called for one envelope after another; a promise it returns is waited for.
 * @returns what ends it; it resolves when the last call has ended, and rejects with what the callback threw
 */
export function onTicks(
  options: Omit<ReadTicksOptions, 'signal'>,
  callback: (envelope: ReadEnvelope) => void | Promise<void>,
): { stop(): void; readonly ended: Promise<void> } {
  const ending = new AbortController();
  const run = async () => {
    for await (const envelope of readTicks({ ...options, signal: ending.signal })) await callback(envelope);
  };
  return { stop: () => ending.abort(), ended: run() };
}

class TickReader {
  readonly #options: ReadTicksOptions;
  readonly #names: ReturnType<typeof redisNames>;
  readonly #channelOf: ReadonlyMap<string, TickChannel>;
  readonly #inbox: Inbox;
  readonly #listening: Redis;
  readonly #asking: Redis;
  /** Positions up to which an instrument's ticks were given out by last values. */
  readonly #given = new Map<number, { lease: number; seq: number }>();
  #wake: () => void = () => {};

  constructor(options: ReadTicksOptions) {
    this.#options = options;
    this.#names = redisNames(options.prefix ?? DEFAULT_CHANNEL_PREFIX);
    const channels = options.channels ?? TICK_CHANNELS;
    this.#channelOf = new Map(channels.map((channel) => [this.#names.ticks(channel), channel]));
    this.#inbox = new Inbox(options.maxWaitingTicks ?? DEFAULT_MAX_WAITING_TICKS);
    this.#listening = new Redis(options.redisUrl, {
      maxRetriesPerRequest: null,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
    });
    this.#asking = new Redis(options.redisUrl, { maxRetriesPerRequest: null });
    // ioredis connects again by itself; what was missed meanwhile shows as a gap.
    for (const redis of [this.#listening, this.#asking]) redis.on('error', () => {});
    // Subscribed anew on every connection: ioredis forgets it when a connection ends before the answer.
    this.#listening.on('ready', () => {
      this.#listening.subscribe(...this.#channelOf.keys()).catch(() => this.#listening.disconnect(true));
    });
    this.#listening.on('message', (name: string, text: string) => this.#received(name, text));
    options.signal?.addEventListener('abort', () => this.#wake());
  }

  async *envelopes(): AsyncGenerator<ReadEnvelope> {
    if (this.#options.from === 'last_values' && !this.#isAborted()) {
      await this.#waitForLastValues();
      if (!this.#isAborted()) yield* this.#lastValues([...this.#channelOf.values()], 0);
    }
    while (!this.#isAborted()) {
      const item = this.#inbox.take();
      if (item !== undefined) yield* this.#give(item);
      else await this.#whenAwake();
    }
  }

  close(): void {
    this.#listening.disconnect();
    this.#asking.disconnect();
  }

  #isAborted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  #whenAborted(): Promise<void> {
    const { signal } = this.#options;
    if (signal === undefined) return new Promise(() => {});
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  #whenAwake(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #received(name: string, text: string): void {
    const channel = this.#channelOf.get(name);
    const envelope = parseEnvelope(text);
    if (channel === undefined || envelope === undefined) return;
    this.#inbox.put(channel, envelope);
    this.#wake();
  }

  async *#give({ envelope, gap }: Item): AsyncGenerator<ReadEnvelope> {
    if (gap === undefined) yield this.#withoutGiven(envelope);
    else {
      const { replayed, isComplete } = await this.#replay(envelope, gap);
      for (const each of replayed) yield this.#withoutGiven(each);
      const missed = isComplete ? 0 : Math.max(1, gapLength(gap) - replayed.length);
      if (!isComplete) yield* this.#lastValues([envelope.channel], missed);
      yield this.#withoutGiven(envelope);
    }
  }

  /** What the log still has of a gap. Complete over a change of lease means: up to it and from the new one's first. */
  async #replay(next: ReadEnvelope, gap: Gap): Promise<{ replayed: ReadEnvelope[]; isComplete: boolean }> {
    const key = this.#names.log(next.channel, next.account_id);
    const [from, to] = [`${gap.from.lease}-${gap.from.seq}`, `${gap.to.lease}-${gap.to.seq}`];
    const entries = await this.#asking.xrange(key, from, to);
    const replayed = entries.flatMap(([, fields]) => {
      const envelope = parseEnvelope(fields[1] ?? '');
      return envelope === undefined
        ? []
        : [{ ...envelope, channel: next.channel, source: 'log' as const, missed: 0 }];
    });
    return { replayed, isComplete: isGapless(replayed, gap) };
  }

  /** Until the hash holds everything that was published before the first envelope that waits here. */
  async #waitForLastValues(): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      await Promise.race([sleep(POLL_MS), this.#whenAborted()]);
      if (this.#isAborted()) return;
      const elapsedMs = performance.now() - startedMs;
      if (elapsedMs < ALL_HEARD_MS) continue;
      if (elapsedMs > GIVE_UP_MS || (await this.#isHashComplete())) return;
    }
  }

  async #isHashComplete(): Promise<boolean> {
    const complete = await this.#asking.hgetall(this.#names.lastSeq);
    for (const [key, first] of this.#inbox.firstPositions()) {
      const [lease = 0, seq = 0] = (complete[key] ?? '').split('-').map(Number);
      if (first.seq > 1 && comparePositions({ lease, seq }, { lease: first.lease, seq: first.seq - 1 }) < 0) {
        return false;
      }
    }
    return true;
  }

  async *#lastValues(channels: readonly TickChannel[], missed: number): AsyncGenerator<ReadEnvelope> {
    const fields = await this.#asking.hgetall(this.#names.last);
    const ticks = new Map<TickChannel, Snapshot[]>(channels.map((channel) => [channel, []]));
    for (const text of Object.values(fields)) {
      const { lease, seq, tick } = JSON.parse(text) as LastValue;
      const ofChannel = ticks.get(CHANNEL_OF_KIND[tick.type]);
      if (ofChannel === undefined) continue;
      const given = this.#given.get(tick.instrument_token);
      if (given !== undefined && comparePositions({ lease, seq }, given) <= 0) continue;
      this.#given.set(tick.instrument_token, { lease, seq });
      ofChannel.push(tick);
    }
    for (const [channel, ofChannel] of ticks) {
      const ts = Math.max(0, ...ofChannel.slice(0, 1).map((tick) => tick.received_ts));
      yield {
        v: 1,
        account_id: '',
        lease: 0,
        seq: 0,
        ts,
        folded: 0,
        ticks: ofChannel,
        channel,
        source: 'last',
        missed,
      };
    }
  }

  /** Leaves out ticks that the last values already gave, or newer ones of the same instrument. */
  #withoutGiven(envelope: ReadEnvelope): ReadEnvelope {
    if (this.#given.size === 0) return envelope;
    const ticks = envelope.ticks.filter(({ instrument_token }) => {
      const given = this.#given.get(instrument_token);
      if (given === undefined) return true;
      if (comparePositions(envelope, given) <= 0) return false;
      this.#given.delete(instrument_token);
      return true;
    });
    return ticks.length === envelope.ticks.length ? envelope : { ...envelope, ticks };
  }
}

/** Whether the envelopes fill the gap: each number once, and over a change of lease the new one's from 1. */
function isGapless(replayed: readonly TickEnvelope[], { from, to }: Gap): boolean {
  let at: { lease: number; seq: number } = { lease: from.lease, seq: from.seq - 1 };
  for (const { lease, seq } of replayed) {
    if (seq !== (lease === at.lease ? at.seq + 1 : 1)) return false;
    at = { lease, seq };
  }
  return to.seq === 0 || (at.lease === to.lease && at.seq === to.seq);
}

function parseEnvelope(text: string): TickEnvelope | undefined {
  try {
    const value = JSON.parse(text) as Partial<TickEnvelope>;
    return value.v === 1 && Array.isArray(value.ticks) ? (value as TickEnvelope) : undefined;
  } catch {
    return undefined;
  }
}
