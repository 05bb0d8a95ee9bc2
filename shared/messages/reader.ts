import { Redis } from 'ioredis';
import { DEFAULT_CHANNEL_PREFIX, redisNames, TICK_CHANNELS, type TickChannel } from './channels.ts';
import type { TickEnvelope } from './envelope.ts';

export interface ReadTicksOptions {
  /** `redis://` or `rediss://`, with user and password where the server asks for them. */
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly channels?: readonly TickChannel[];
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** An envelope as read, with the channel it came over. */
export interface ReadEnvelope extends TickEnvelope {
  readonly channel: TickChannel;
}

/** Live envelopes in the order of their arrival, until the signal is aborted. */
export async function* readTicks(options: ReadTicksOptions): AsyncGenerator<ReadEnvelope> {
  const names = redisNames(options.prefix ?? DEFAULT_CHANNEL_PREFIX);
  const channels = options.channels ?? TICK_CHANNELS;
  const channelOf = new Map(channels.map((channel) => [names.ticks(channel), channel]));
  const queue: ReadEnvelope[] = [];
  let wake: (() => void) | undefined;
  const redis = new Redis(options.redisUrl, { maxRetriesPerRequest: null });
  redis.on('message', (name, text) => {
    const channel = channelOf.get(name);
    if (channel === undefined) return;
    queue.push({ ...(JSON.parse(text) as TickEnvelope), channel });
    wake?.();
  });
  const aborted = () => options.signal?.aborted === true;
  const onAbort = () => wake?.();
  options.signal?.addEventListener('abort', onAbort);
  try {
    await redis.subscribe(...channelOf.keys());
    while (!aborted()) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    redis.disconnect();
  }
}
