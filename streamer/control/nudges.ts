import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type Nudge, redisNames } from '#shared/messages/channels.ts';

const MAX_TOKENS = 5_000;

const nudgeSchema = z.object({
  account_id: z.string(),
  instrument_tokens: z.array(z.number().int().positive()).max(MAX_TOKENS),
});

export interface NudgeEvents {
  onNudge(nudge: Nudge): void;
  /** The subscription came about, again perhaps: nudges may have been missed before. */
  onListening(): void;
  onBadNudge(problem: string): void;
}

/** Hears the control plane's hints on a connection of its own, subscribed anew whenever it comes back. */
export function listenForNudges(redis: Redis, prefix: string, events: NudgeEvents): void {
  const channel = redisNames(prefix).nudge;
  redis.on('error', () => {});
  redis.on('message', (_channel, text) => {
    const parsed = nudgeSchema.safeParse(parseJson(text));
    if (parsed.success) events.onNudge(parsed.data);
    else events.onBadNudge(z.prettifyError(parsed.error));
  });
  redis.on('ready', () => {
    redis.subscribe(channel).then(
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
