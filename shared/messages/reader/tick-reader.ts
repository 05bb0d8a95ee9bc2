import { redisNames, type TickChannel } from '../channels.ts';
import { Delivery, type Stream } from './delivery.ts';
import { TickReaderError } from './errors.ts';
import type { Notice, ReadEvent } from './events.ts';
import { Inbox } from './inbox.ts';
import { Listener } from './listener.ts';
import type { ReaderSettings } from './options.ts';
import { parseEnvelope } from './parse.ts';
import { streamKey } from './positions.ts';
import { RedisTickStore } from './redis-store.ts';
import { Silence } from './silence.ts';

const CHECK_MS = 250;
const HEAL_TIMEOUT_MS = 5_000;
const MAX_NOTICES = 1_000;

/** One reading: a connection that listens, one that asks, and what waits for the consumer in between. */
export class TickReader {
  readonly #settings: ReaderSettings;
  readonly #channelOf: ReadonlyMap<string, TickChannel>;
  readonly #ending = new AbortController();
  readonly #inbox: Inbox;
  readonly #delivery: Delivery;
  readonly #listener: Listener;
  readonly #silence: Silence;
  readonly #streams = new Map<string, Stream>();
  readonly #told = new Set<string>();
  #notices: Notice[] = [];
  #failure: TickReaderError | undefined;
  #wasConnected = false;
  #isHealDue = false;
  #checkedMs = performance.now();
  #wake: () => void = () => {};

  constructor(settings: ReaderSettings) {
    this.#settings = settings;
    const names = redisNames(settings.prefix);
    this.#channelOf = new Map(settings.channels.map((channel) => [names.ticks(channel), channel]));
    this.#inbox = new Inbox(settings.maxWaitingTicks);
    this.#silence = new Silence(settings.silentAfterMs, performance.now());
    const { channels, from, tokens } = settings;
    this.#delivery = new Delivery(
      { channels, from, tokens: tokens && new Set(tokens), healTimeoutMs: HEAL_TIMEOUT_MS },
      new RedisTickStore(settings.redisUrl, settings.prefix, tokens, this.#ending.signal),
    );
    this.#listener = new Listener(settings.redisUrl, [...this.#channelOf.keys()], {
      onMessage: (name, text) => this.#received(name, text),
      onConnected: () => this.#connected(),
      onDisconnected: (reason, isRefused) => this.#disconnected(reason, isRefused),
    });
  }

  /** Until the signal is aborted. @throws TickReaderError */
  async *events(): AsyncGenerator<ReadEvent> {
    const checking = setInterval(() => this.#check(), CHECK_MS);
    const stop = () => this.#stop();
    this.#settings.signal?.addEventListener('abort', stop, { once: true });
    if (this.#settings.signal?.aborted) stop();
    try {
      yield* this.#untilStopped();
    } catch (error) {
      // Whatever was asked when the end came is answered by it.
      if (!this.#isEnding) throw error;
    } finally {
      clearInterval(checking);
      this.#settings.signal?.removeEventListener('abort', stop);
      this.#stop();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  async *#untilStopped(): AsyncGenerator<ReadEvent> {
    // Subscribed before the hash is read: what comes in between is collected.
    while (!this.#listener.isConnected && !this.#isEnding) {
      yield* this.#takeNotices();
      if (!this.#listener.isConnected) await this.#whenAwake();
    }
    if (this.#settings.from === 'last_values' && !this.#isEnding) yield* this.#begin();
    while (!this.#isEnding) {
      yield* this.#takeNotices();
      if (this.#isHealDue) {
        this.#isHealDue = false;
        yield* this.#delivery.heal(performance.now());
      }
      const item = this.#inbox.take();
      if (item !== undefined) yield* this.#delivery.give(item, performance.now());
      else if (this.#notices.length === 0) await this.#whenAwake();
    }
  }

  async *#begin(): AsyncGenerator<ReadEvent> {
    const positions = yield* this.#delivery.start();
    for (const [key, { lease }] of positions) {
      this.#inbox.sawLease(key.slice(key.indexOf(':') + 1), lease);
    }
  }

  async *#takeNotices(): AsyncGenerator<ReadEvent> {
    const notices = this.#notices;
    this.#notices = [];
    for (const notice of notices) {
      // The envelopes heard before come first: the log is asked for what follows them.
      if (notice.type === 'silent') yield* this.#tail(notice);
      yield notice;
    }
  }

  async *#tail(stream: Stream): AsyncGenerator<ReadEvent> {
    for (let item = this.#inbox.take(); item !== undefined; item = this.#inbox.take()) {
      yield* this.#delivery.give(item, performance.now());
    }
    yield* this.#delivery.tail(stream, performance.now());
  }

  #whenAwake(): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #stop(): void {
    if (this.#isEnding) return;
    this.#ending.abort();
    this.#listener.close();
    this.#wake();
  }

  #tell(notice: Notice): void {
    this.#notices.push(notice);
    if (this.#notices.length > MAX_NOTICES) this.#notices.shift();
    this.#wake();
  }

  #tellOnce(key: string, notice: Notice): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#tell(notice);
  }

  #received(name: string, text: string): void {
    const channel = this.#channelOf.get(name);
    if (channel === undefined) return;
    const envelope = parseEnvelope(text);
    if (envelope === undefined) {
      this.#tellOnce(`unreadable ${channel}`, { type: 'unreadable', channel });
      return;
    }
    const { account_id, lease } = envelope;
    const verdict = this.#inbox.put(channel, envelope);
    if (verdict.kind === 'old_lease') {
      const notice = { type: 'old_lease', channel, account_id, lease, newest: verdict.newest } as const;
      this.#tellOnce(`${streamKey(notice)} ${lease}`, notice);
      return;
    }
    const key = streamKey({ channel, account_id });
    if (!this.#streams.has(key)) this.#streams.set(key, { channel, account_id });
    this.#silence.heard(key, performance.now());
    this.#wake();
  }

  #connected(): void {
    this.#wasConnected = true;
    this.#silence.restart(performance.now());
    this.#tell({ type: 'connected' });
  }

  #disconnected(reason: string, isRefused: boolean): void {
    this.#inbox.interrupted();
    // A password that was right once is being changed: waiting helps. One that never was will not become it.
    if (isRefused && !this.#wasConnected) {
      this.#failure = new TickReaderError('refused', `Redis refuses the reader: ${reason}`);
      this.#stop();
    } else this.#tell({ type: 'disconnected', reason });
  }

  #check(): void {
    const nowMs = performance.now();
    const isLate = nowMs - this.#checkedMs > 2 * CHECK_MS;
    this.#checkedMs = nowMs;
    if (this.#delivery.isHealing) {
      this.#isHealDue = true;
      this.#wake();
    }
    // This process was busy or frozen: what came meanwhile is still to be heard.
    if (isLate || !this.#listener.isConnected) this.#silence.restart(nowMs);
    if (this.#silence.isAllSilent(nowMs)) void this.#listener.probe();
    for (const key of this.#silence.fallenSilent(nowMs)) {
      const stream = this.#streams.get(key);
      if (stream !== undefined) this.#tell({ type: 'silent', ...stream });
    }
  }
}
