import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type LeaseNudge, type Nudge, redisNames } from '#shared/messages/channels.ts';

const MAX_TOKENS = 5_000;

const nudgeSchema = z.object({
  account_id: z.string(),
  instrument_tokens: z.array(z.number().int().positive()).max(MAX_TOKENS),
});

const leaseNudgeSchema = z.object({ holder: z.string() });

export interface NudgeEvents {
  onNudge(nudge: Nudge): void;
  onLeaseNudge(nudge: LeaseNudge): void;
  /** The subscription came about, again perhaps: nudges may have been missed before. */
  onListening(): void;
  onBadNudge(problem: string): void;
}

/** Hears the control plane's hints on a connection of its own, subscribed anew whenever it comes back. */
export function listenForNudges(redis: Redis, prefix: string, events: NudgeEvents): void {
  const { nudge, leaseNudge } = redisNames(prefix);
  redis.on('error', () => {});
  redis.on('message', (channel, text) => {
    if (channel === leaseNudge) take(text, leaseNudgeSchema, events.onLeaseNudge);
    else take(text, nudgeSchema, events.onNudge);
  });
  const take = <T>(text: string, schema: z.ZodType<T>, tell: (message: T) => void) => {
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) tell(parsed.data);
    else events.onBadNudge(z.prettifyError(parsed.error));
  };
  redis.on('ready', () => {
    redis.subscribe(nudge, leaseNudge).then(
      () => events.onListening(),
      (error: Error) => events.onBadNudge(`not listening: ${error.message}`),
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Best effort: whoever misses it looks by itself soon. */
export function nudgeStreamers(redis: Redis, prefix: string, holder: string): void {
  const nudge: LeaseNudge = { holder };
  redis.publish(redisNames(prefix).leaseNudge, JSON.stringify(nudge)).catch(() => {});
}
