import { setTimeout as sleep } from 'node:timers/promises';
import { TICK_CHANNELS } from '#shared/messages/channels.ts';
import { within } from '#shared/within.ts';
import type { AccountStreamer } from '../account.ts';
import type { LastValues } from '../publish/last-values.ts';
import type { RedisSink } from '../publish/redis-sink.ts';

const LOOK_MS = 5;

export interface HandOverParts {
  readonly streamer: Pick<AccountStreamer, 'pipeline' | 'batchers'>;
  readonly lastValues: Pick<LastValues, 'flush' | 'isCurrent' | 'clear'>;
  readonly sink: Pick<RedisSink, 'settled'>;
}

/**
 * What comes after an account's links were closed and before its lease is given back: what was read is published and
 * the last values are complete, so that the next holder's readers lack nothing. What Redis does not take in time is left.
 * @throws TimeoutError when Redis hangs
 */
export async function handOver(
  { streamer, lastValues, sink }: HandOverParts,
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  const isOver = () => performance.now() >= deadlineMs;
  const backlog = () => TICK_CHANNELS.some((channel) => streamer.batchers[channel].backlog > 0);
  while (backlog() && !isOver()) {
    await sleep(LOOK_MS);
    streamer.pipeline.flush();
  }
  await sink.settled(deadlineMs - performance.now());
  while (!lastValues.isCurrent && !isOver()) {
    const leftMs = Math.max(1, deadlineMs - performance.now());
    await within(leftMs, 'the last values', lastValues.flush());
    await sleep(0);
  }
}

/** The account shall not stream any more: nothing of it stays in the hash. */
export async function handBack(parts: HandOverParts, timeoutMs: number): Promise<void> {
  await handOver(parts, timeoutMs);
  await within(timeoutMs, 'clearing the last values', parts.lastValues.clear());
}
