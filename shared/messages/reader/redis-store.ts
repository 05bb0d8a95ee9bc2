import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import { redisNames } from '../channels.ts';
import type { LastValue, TickEnvelope } from '../envelope.ts';
import type { Stream, TickStore } from './delivery.ts';
import { TickReaderError } from './errors.ts';
import { parseEnvelope } from './parse.ts';
import { comparePositions, type Position, parsePosition } from './positions.ts';
import { retryDelayMs } from './retry.ts';

const COMMAND_TIMEOUT_MS = 5_000;
const LOG_PAGE = 20;

/** Asks Redis, again and again while it cannot answer. */
export class RedisTickStore implements TickStore {
  readonly #redis: Redis;
  readonly #names: ReturnType<typeof redisNames>;
  readonly #tokens: readonly number[] | undefined;
  readonly #signal: AbortSignal;

  /** @param tokens only their last values are asked for */
  constructor(url: string, prefix: string, tokens: readonly number[] | undefined, signal: AbortSignal) {
    this.#redis = new Redis(url, {
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: retryDelayMs,
    });
    // The listening connection tells of the same server.
    this.#redis.on('error', () => {});
    this.#names = redisNames(prefix);
    this.#tokens = tokens;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#redis.disconnect(), { once: true });
  }

  async positions(): Promise<Map<string, Position>> {
    const fields = await this.#ask(() => this.#redis.hgetall(this.#names.lastSeq));
    const positions = new Map<string, Position>();
    for (const [key, text] of Object.entries(fields)) {
      const position = parsePosition(text);
      if (position !== undefined) positions.set(key, position);
    }
    return positions;
  }

  async lastValues(): Promise<LastValue[]> {
    const tokens = this.#tokens?.map(String);
    const texts = await this.#ask(async () =>
      tokens === undefined
        ? Object.values(await this.#redis.hgetall(this.#names.last))
        : await this.#redis.hmget(this.#names.last, ...tokens),
    );
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as LastValue]));
  }

  /** The entries' ids are the positions. */
  async *log(stream: Stream, from: Position, before: Position | undefined): AsyncGenerator<TickEnvelope> {
    const key = this.#names.log(stream.channel, stream.account_id);
    const end = before === undefined ? '+' : `(${before.lease}-${before.seq}`;
    if (before !== undefined && comparePositions(from, before) >= 0) return;
    for (let start = `${from.lease}-${from.seq}`; ; ) {
      const entries = await this.#ask(() => this.#redis.xrange(key, start, end, 'COUNT', LOG_PAGE));
      for (const [, fields] of entries) {
        const envelope = parseEnvelope(fields[1] ?? '');
        if (envelope !== undefined) yield envelope;
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < LOG_PAGE) return;
      start = `(${last[0]}`;
    }
  }

  /** @throws TickReaderError `refused` for what no waiting helps against; the signal's reason when it is aborted */
  async #ask<T>(command: () => Promise<T>): Promise<T> {
    for (let times = 1; ; times += 1) {
      this.#signal.throwIfAborted();
      try {
        return await command();
      } catch (error) {
        this.#signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        if (error instanceof ReplyError && /^(NOPERM|WRONGTYPE)/.test(message)) {
          throw new TickReaderError('refused', `Redis refuses a command: ${message}`, { cause: error });
        }
        // The server hangs, or the way to it is cut without a word.
        if (message.includes('timed out')) this.#redis.disconnect(true);
        await sleep(retryDelayMs(times), undefined, { signal: this.#signal });
      }
    }
  }
}
