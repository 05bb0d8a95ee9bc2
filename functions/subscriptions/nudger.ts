import type { Redis } from 'ioredis';
import type { Logger } from '#shared/http/logger.ts';
import { type Nudge, redisNames } from '#shared/messages/channels.ts';

/** The caller waits for its answer meanwhile; without the nudge the streamer sees the dirty mark within 2 s. */
const PATIENCE_MS = 300;

/** Tells the account's streamer which instruments changed: best effort. */
export class Nudger {
  readonly #redis: Pick<Redis, 'publish'>;
  readonly #channel: string;
  readonly #logger: Logger;

  constructor(redis: Pick<Redis, 'publish'>, prefix: string, logger: Logger) {
    this.#redis = redis;
    this.#channel = redisNames(prefix).nudge;
    this.#logger = logger;
  }

  /** Never throws. */
  async nudge(nudge: Nudge): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(resolve, PATIENCE_MS, 'late');
    try {
      const told = await Promise.race([this.#redis.publish(this.#channel, JSON.stringify(nudge)), late]);
      if (told === 'late') this.#logger.warn('the nudge took too long', { ...nudge });
    } catch (error) {
      this.#logger.warn('the nudge was lost', { ...nudge, error: String(error) });
    } finally {
      clearTimeout(timer);
    }
  }
}
