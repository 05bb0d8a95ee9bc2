import type { ReadEvent, TicksEvent } from './reader/events.ts';
import { type ReadTicksOptions, readerSettings } from './reader/options.ts';
import { TickReader } from './reader/tick-reader.ts';

export { TickReaderError, type TickReaderErrorCode } from './reader/errors.ts';
export type {
  ConnectedEvent,
  DisconnectedEvent,
  GapEvent,
  OldLeaseEvent,
  ReadEvent,
  ResyncedEvent,
  SilentEvent,
  TicksEvent,
  UnreadableEvent,
} from './reader/events.ts';
export type { ReadTicksOptions } from './reader/options.ts';

/**
 * The ticks that streamers publish, without doubles: the newest value of every instrument, then what follows it, and
 * between them in its place whatever is known of holes (docs/readers.md). The connection comes back by itself; what
 * was missed meanwhile is read from the replay log, or told as a gap and made up for by newest values. Memory is
 * bounded: for a slow consumer ticks are folded by instrument and counted.
 * @throws TickReaderError `bad_options` at the call; `refused` while iterating
 */
export function readTicks(options: ReadTicksOptions): AsyncGenerator<ReadEvent> {
  return new TickReader(readerSettings(options)).events();
}

/**
 * The same as a callback, called for one event after another; a promise it returns is waited for.
 * @returns `stop` ends it; `ended` resolves when the last call has ended, and rejects with what the callback threw or
 * with a TickReaderError
 */
export function onTicks(
  options: Omit<ReadTicksOptions, 'signal'>,
  callback: (event: ReadEvent) => void | Promise<void>,
): { stop(): void; readonly ended: Promise<void> } {
  const ending = new AbortController();
  const events = readTicks({ ...options, signal: ending.signal });
  const run = async () => {
    for await (const event of events) await callback(event);
  };
  return { stop: () => ending.abort(), ended: run() };
}

/** For those to whom a hole does not matter. */
export function isTicks(event: ReadEvent): event is TicksEvent {
  return event.type === 'ticks';
}
