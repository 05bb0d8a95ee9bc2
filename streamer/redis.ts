import { Redis } from 'ioredis';
import { backoffMs } from './feed/backoff.ts';

const RECONNECT_BASE_MS = 100;
const RECONNECT_MAX_MS = 2_000;
/** Something is asked every second: a server that answers nothing for so long, or the way to it, is dead. */
const SOCKET_TIMEOUT_MS = 5_000;

/**
 * A connection that fails at once instead of queueing: what to do with a message that cannot be sent is the
 * sink's to decide. It reconnects for ever.
 */
export function publishingRedis(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // A node that was a primary until a failover: its name leads to the new one. Errors of scripts wrap the word.
    reconnectOnError: (error) => error.message.includes('READONLY'),
    retryStrategy: (times) => 20 + backoffMs(times, RECONNECT_BASE_MS, RECONNECT_MAX_MS, Math.random),
  });
}

/** A connection that listens; whoever uses it subscribes on every `ready`. */
export function listeningRedis(url: string): Redis {
  return new Redis(url, {
    maxRetriesPerRequest: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 5_000,
    retryStrategy: (times) => 20 + backoffMs(times, RECONNECT_BASE_MS, RECONNECT_MAX_MS, Math.random),
  });
}
