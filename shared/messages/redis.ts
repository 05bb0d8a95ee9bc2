import { Redis } from 'ioredis';

const CONNECT_TIMEOUT_MS = 1_000;
const COMMAND_TIMEOUT_MS = 1_000;

export interface RedisLogger {
  warn(message: string, details: { error: string }): void;
}

/**
 * A client for functions: connects with its first command, gives up soon (somebody waits for the answer), and after a
 * freeze of its process or a fail-over connects again by itself.
 * @param url `redis://` or `rediss://`, with user and password where the server asks for them
 */
export function functionRedis(url: string, logger: RedisLogger): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(times * 50, 1_000) * (0.5 + Math.random() / 2),
  });
  redis.on('error', (error) => logger.warn('redis connection', { error: String(error) }));
  return redis;
}
