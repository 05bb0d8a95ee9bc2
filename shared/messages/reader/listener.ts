import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import { retryDelayMs } from './retry.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const PING_TIMEOUT_MS = 2_000;

export interface ListenerEvents {
  onMessage(name: string, text: string): void;
  /** The channels are subscribed, perhaps again. */
  onConnected(): void;
  /** Told once until it is connected again. `isRefused`: the server answered, and does not let this user in. */
  onDisconnected(reason: string, isRefused: boolean): void;
}

/** A connection that listens to channels and comes back by itself. */
export class Listener {
  readonly #redis: Redis;
  readonly #events: ListenerEvents;
  #isPinging = false;
  #isDown = false;
  #lastError = 'connection closed';
  isConnected = false;

  constructor(url: string, names: readonly string[], events: ListenerEvents) {
    this.#events = events;
    this.#redis = new Redis(url, {
      maxRetriesPerRequest: null,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: retryDelayMs,
    });
    // Subscribed anew on every connection: ioredis forgets it when a connection ends before the answer.
    this.#redis.on('ready', () => void this.#subscribe(names));
    this.#redis.on('message', (name: string, text: string) => events.onMessage(name, text));
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error.message;
      if (isRefusal(error)) this.#down(error.message, true);
    });
    this.#redis.on('close', () => this.#down(this.#lastError, false));
  }

  /** Ends a connection over which nothing comes any more, not even an answer. */
  async probe(): Promise<void> {
    if (this.#isPinging || !this.isConnected) return;
    this.#isPinging = true;
    const answer = this.#redis.ping().then(
      () => true,
      () => false,
    );
    const isAlive = await Promise.race([answer, sleep(PING_TIMEOUT_MS, false, { ref: false })]);
    this.#isPinging = false;
    if (!isAlive && this.isConnected) {
      this.#lastError = `no answer for ${PING_TIMEOUT_MS} ms`;
      this.#redis.disconnect(true);
    }
  }

  close(): void {
    this.#redis.removeAllListeners('close');
    this.#redis.disconnect();
  }

  async #subscribe(names: readonly string[]): Promise<void> {
    try {
      await this.#redis.subscribe(...names);
      this.isConnected = true;
      this.#isDown = false;
      this.#events.onConnected();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#lastError = error.message;
      this.#down(error.message, isRefusal(error));
      this.#redis.disconnect(true);
    }
  }

  #down(reason: string, isRefused: boolean): void {
    this.isConnected = false;
    if (this.#isDown && !isRefused) return;
    this.#isDown = true;
    this.#events.onDisconnected(reason, isRefused);
  }
}

function isRefusal(error: Error): boolean {
  return error instanceof ReplyError && /^(NOAUTH|WRONGPASS|NOPERM|ERR invalid password)/.test(error.message);
}
