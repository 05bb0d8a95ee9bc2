import { type Redis, ReplyError } from 'ioredis';
import type { Breaker } from '#shared/breaker.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { redisNames } from '#shared/messages/channels.ts';
import { isDemoted } from '../redis.ts';
import type { Batch, BatchSink } from './batcher.ts';
import { FENCED_OFF, ONLY_ON_A_PRIMARY } from './fenced-redis.ts';
import { sendFramed } from './framed-command.ts';
import { NOT_LOGGED, type ReplayLog } from './replay-log.ts';

export interface RedisSinkSettings {
  readonly prefix: string;
  /** `batch`: one envelope a message. `single`: one bare snapshot a message, without sequence. */
  readonly format: 'batch' | 'single';
  /** Batches under way at most, by number and by bytes. */
  readonly maxBatches: number;
  readonly maxBytes: number;
  /** A batch without an answer for so long means that the server hangs: the connection is dropped. */
  readonly timeoutMs: number;
}

export interface RedisSinkEvents {
  /** Everything under way has arrived, or the sink accepts again. */
  onReady(): void;
  /** Redis did not publish a batch of this account, because a newer lease stands. */
  onFencedOff(accountId: string): void;
  onFailure(kind: 'connection' | 'timeout' | 'refused' | 'not_logged', detail: string): void;
}

interface Entry {
  batch: Batch;
  sentAtMs: number;
  isSent: boolean;
  /** How often it was written to a socket. */
  sends: number;
}

/** Publishes the last arguments on KEYS[2], unless the account of ARGV[1] has a lease above ARGV[2]. */
const FENCED_PUBLISH = `
local fence, lease = tonumber(redis.call('HGET',KEYS[1],ARGV[1]) or 0), tonumber(ARGV[2])
if fence > lease then return ${FENCED_OFF} end
if fence < lease then redis.call('HSET',KEYS[1],ARGV[1],lease) end
${ONLY_ON_A_PRIMARY('KEYS[1]')}
for i=3,#ARGV do redis.call('PUBLISH',KEYS[2],ARGV[i]) end
return 0
`;
const CHECK_MS = 250;
const RETRY_REFUSED_MS = 200;

/**
 * Publishes batches in order over one connection and keeps each until Redis has answered: when the connection
 * breaks, what was under way is sent again with the same sequence numbers, of which readers drop doubles. It never
 * takes more than its bounds; whoever finds `accepts` false keeps the newest values instead.
 */
export class RedisSink implements BatchSink {
  readonly #redis: Redis;
  readonly #settings: RedisSinkSettings;
  readonly #events: RedisSinkEvents;
  readonly #clock: Pick<SteadyClock, 'steadyMs'>;
  readonly #breaker: Breaker;
  readonly #log: ReplayLog | undefined;
  readonly #names: ReturnType<typeof redisNames>;
  readonly #queue: Entry[] = [];
  readonly #checkTimer: NodeJS.Timeout;
  #bytes = 0;
  /** The node has said that it is no primary. */
  #isFailingOver = false;
  #retryTimer: NodeJS.Timeout | undefined;
  failuresTotal = 0;
  envelopesTotal = 0;
  fencedOffTotal = 0;
  /** Envelopes that were published and that the replay log did not take. */
  notLoggedTotal = 0;
  /** Envelopes that Redis refused and then took later ones of the same stream: readers see the hole. */
  overtakenTotal = 0;

  constructor(
    redis: Redis,
    settings: RedisSinkSettings,
    parts: { breaker: Breaker; clock: Pick<SteadyClock, 'steadyMs'>; log: ReplayLog | undefined },
    events: RedisSinkEvents,
  ) {
    this.#redis = redis;
    this.#settings = settings;
    this.#events = events;
    this.#clock = parts.clock;
    this.#breaker = parts.breaker;
    this.#log = parts.log;
    this.#names = redisNames(settings.prefix);
    this.#checkTimer = setInterval(() => this.#check(), CHECK_MS);
    redis.on('ready', () => this.#connected());
    redis.on('close', () => this.#disconnected());
    // What went wrong is told by the close that follows; without a listener ioredis writes to the console.
    redis.on('error', (error: Error) => this.#events.onFailure('connection', error.message));
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.accepts;
  }

  get accepts(): boolean {
    if (this.#redis.status !== 'ready') return false;
    if (this.#queue.length >= this.#settings.maxBatches || this.#bytes >= this.#settings.maxBytes)
      return false;
    const { state } = this.#breaker;
    return state === 'closed' || (state === 'half_open' && this.#queue.length === 0);
  }

  get breakerState(): Breaker['state'] {
    return this.#breaker.state;
  }

  get isConnected(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Batches given and not yet answered. */
  get underWay(): number {
    return this.#queue.length;
  }

  publish(batch: Batch): void {
    this.#queue.push({ batch, sentAtMs: 0, isSent: false, sends: 0 });
    this.#bytes += batch.payload.length;
    this.#sendNext();
  }

  /**
   * Of synthetic snapshots that Redis has not confirmed only the envelopes' numbers are left to send: none can come
   * after a real one, however long Redis was away.
   */
  withdrawMocks(): void {
    for (const entry of this.#queue) {
      const { batch } = entry;
      if (batch.emptied === undefined) continue;
      const { emptied, ...head } = batch;
      const payload = emptied();
      this.#bytes += payload.length - batch.payload.length;
      // The old payload may still stand in a socket's buffer: its memory is not used again.
      entry.batch = { ...head, ticks: 0, payload, snapshots: [], release: () => {} };
    }
  }

  /** Waits until all that was given up to now was answered, or that proves vain. */
  async settled(timeoutMs: number): Promise<void> {
    const last = this.#queue.at(-1);
    const deadlineMs = this.#clock.steadyMs() + timeoutMs;
    while (last !== undefined && this.#queue.includes(last) && this.#clock.steadyMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for what is under way, at most so long. */
  async close(timeoutMs: number): Promise<void> {
    const deadlineMs = this.#clock.steadyMs() + timeoutMs;
    while (this.#queue.length > 0 && this.#clock.steadyMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    clearInterval(this.#checkTimer);
    clearTimeout(this.#retryTimer);
  }

  #sendNext(): void {
    for (const entry of this.#queue) {
      if (entry.isSent) continue;
      if (this.#redis.status !== 'ready' || !this.#breaker.tryEnter()) return;
      entry.isSent = true;
      entry.sends += 1;
      entry.sentAtMs = this.#clock.steadyMs();
      this.#write(entry.batch).then(
        (answer) => this.#answered(entry, answer),
        (error: unknown) => this.#failed(entry, error),
      );
    }
  }

  #write(batch: Batch): Promise<unknown> {
    const channel = this.#names.ticks(batch.channel);
    if (this.#log !== undefined) return this.#log.append(batch, channel);
    const { accountId, lease, snapshots } = batch;
    const words = [
      'EVAL',
      FENCED_PUBLISH,
      '2',
      this.#names.leases,
      channel,
      accountId,
      String(lease),
    ] as const;
    if (this.#settings.format === 'batch') return sendFramed(this.#redis, words, batch.payload);
    const [, ...rest] = words;
    return this.#redis.call('EVAL', ...rest, ...snapshots);
  }

  #answered(entry: Entry, answer: unknown): void {
    // A late answer over a connection that was given up: the entry was sent again or is gone.
    const isOldest = this.#queue[0] === entry;
    if (!entry.isSent || !this.#remove(entry)) return;
    // Sent twice, the first socket may still hold the memory.
    if (entry.sends === 1) entry.batch.release();
    if (answer === FENCED_OFF) {
      this.fencedOffTotal += 1;
      this.#events.onFencedOff(entry.batch.accountId);
    } else this.envelopesTotal += 1;
    if (answer === NOT_LOGGED) {
      this.notLoggedTotal += 1;
      this.#events.onFailure('not_logged', 'published, but the replay log took it not: is Redis full?');
    }
    if (!isOldest) this.#dropOvertaken(entry.batch);
    this.#isFailingOver = false;
    this.#breaker.succeeded();
    this.#sendNext();
    if (this.#queue.length === 0) this.#events.onReady();
  }

  #failed(entry: Entry, error: unknown): void {
    // A broken connection is counted once, by its close, however many batches were under way.
    if (!(error instanceof ReplyError) || !entry.isSent) return;
    entry.isSent = false;
    const { message } = error as Error;
    this.#isFailingOver = isDemoted(message);
    // A failover ends by itself: what guards against endless errors would outlast it.
    if (!this.#isFailingOver) this.#breaker.failed();
    this.#tellFailure('refused', message);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#sendNext(), RETRY_REFUSED_MS);
  }

  /** Nothing may come after what is newer: readers would drop it, and those of bare snapshots would go back in time. */
  #dropOvertaken({ accountId, channel, lease, seq }: Batch): void {
    const overtaken = this.#queue.filter(
      ({ batch, isSent }) =>
        !isSent &&
        batch.accountId === accountId &&
        batch.channel === channel &&
        (batch.lease < lease || (batch.lease === lease && batch.seq < seq)),
    );
    for (const entry of overtaken) {
      this.#remove(entry);
      this.overtakenTotal += 1;
    }
  }

  #remove(entry: Entry): boolean {
    const index = this.#queue.indexOf(entry);
    if (index < 0) return false;
    this.#queue.splice(index, 1);
    this.#bytes -= entry.batch.payload.length;
    return true;
  }

  #connected(): void {
    this.#sendNext();
    if (this.accepts) this.#events.onReady();
  }

  /** An attempt to connect that failed published nothing: the pauses between attempts are guard enough. */
  #disconnected(): void {
    const wasPublishing = this.#queue.some((entry) => entry.isSent);
    for (const entry of this.#queue) entry.isSent = false;
    if (wasPublishing && !this.#isFailingOver) this.#breaker.failed();
    this.#tellFailure('connection', 'connection closed');
  }

  #tellFailure(kind: 'connection' | 'refused', detail: string): void {
    this.failuresTotal += 1;
    this.#events.onFailure(kind, detail);
  }

  #check(): void {
    const oldest = this.#queue[0];
    if (oldest === undefined) {
      if (this.accepts) this.#events.onReady();
      return;
    }
    if (!oldest.isSent) this.#sendNext();
    else if (this.#clock.steadyMs() - oldest.sentAtMs > this.#settings.timeoutMs) {
      this.#events.onFailure('timeout', `no answer for ${this.#settings.timeoutMs} ms`);
      this.#redis.disconnect(true);
    }
  }
}
