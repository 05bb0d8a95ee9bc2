import { z } from 'zod';
import { DEFAULT_CHANNEL_PREFIX, TICK_CHANNELS, type TickChannel } from '../channels.ts';
import { TickReaderError } from './errors.ts';

export interface ReadTicksOptions {
  /** `redis://` or `rediss://`, with user and password where the server asks for them. */
  readonly redisUrl: string;
  /** Of the channels; default `ticker:nifty`. */
  readonly prefix?: string;
  /** Default: all four. */
  readonly channels?: readonly TickChannel[];
  /** Only these instruments; default: all of the channels. */
  readonly tokens?: readonly number[];
  /** `last_values` (default): first the newest value of every instrument, then what follows it; `live`: only that. */
  readonly from?: 'last_values' | 'live';
  /** Ticks that wait for a slow consumer before they are folded by instrument; default 100,000. */
  readonly maxWaitingTicks?: number;
  /** A stream that sends nothing for so long is told as silent; default 2,500. Streamers speak every second. */
  readonly silentAfterMs?: number;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

const schema = z.strictObject({
  redisUrl: z.string().regex(/^rediss?:\/\/./, 'starts with redis:// or rediss://'),
  prefix: z.string().min(1).default(DEFAULT_CHANNEL_PREFIX),
  channels: z
    .array(z.enum(['options', 'underlying', 'futures', 'equities']))
    .min(1)
    .default([...TICK_CHANNELS]),
  tokens: z.array(z.number().int().positive()).min(1).optional(),
  from: z.enum(['last_values', 'live']).default('last_values'),
  maxWaitingTicks: z.number().int().positive().default(100_000),
  silentAfterMs: z.number().positive().default(2_500),
  signal: z.instanceof(AbortSignal).optional(),
});

export type ReaderSettings = z.infer<typeof schema>;

/** @throws TickReaderError `bad_options`, naming every one that cannot be used */
export function readerSettings(options: ReadTicksOptions): ReaderSettings {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new TickReaderError('bad_options', `readTicks: ${z.prettifyError(parsed.error)}`);
}
