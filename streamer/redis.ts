import { Redis } from 'ioredis';
import { backoffMs } from './feed/backoff.ts';

const RECONNECT_BASE_MS = 100;
const RECONNECT_MAX_MS = 2_000;
/** Something is asked every second: a server that answers nothing for so long, or the way to it, is dead. */
const SOCKET_TIMEOUT_MS = 5_000;
const LEAVE_EVERY_MS = 1_000;

/** What a node that takes no writes says of itself. Errors of scripts wrap the word. */
export const isDemoted = (message: string): boolean => message.includes('READONLY');

/** A node was a primary until a failover: its name leads to the new one, at once or after a while. */
function leaveDemoted(): (error: Error) => boolean {
  let leftMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!isDemoted(error.message) || performance.now() - leftMs < LEAVE_EVERY_MS) return false;
    leftMs = performance.now();
    return true;
  };
}

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
    reconnectOnError: leaveDemoted(),
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
