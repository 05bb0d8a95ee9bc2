import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startRedisProcess } from '#test/support/processes.ts';
import { atMost, type Figure } from '../figure.ts';
import { benchFrames, benchOptions } from './universe.ts';

/**
 * Resident memory of a process that streams 9,000 instruments. The day's registry weighs nothing in it however many
 * rows it has: subscriptions carry their instrument's row, and health only reads which dump is in force.
 */
export async function residentMemory(): Promise<Figure[]> {
  const redis = await startRedisProcess();
  const child = fork(new URL('memory-child.ts', import.meta.url), [redis.url], { serialization: 'advanced' });
  await once(child, 'message');
  const frames = benchFrames(benchOptions(9_000), 100, 1);
  child.send(frames.map((frame) => new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength)));
  const [megabytes] = (await once(child, 'message')) as [number];
  child.disconnect();
  await redis.stop();
  return [atMost('rss_mb', megabytes, 'MB', 200)];
}
