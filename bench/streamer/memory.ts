import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startRedisProcess } from '#test/support/processes.ts';
import { atMost, type Figure } from '../figure.ts';

/** Resident memory of a process that streams 9,000 instruments beside a registry of 114,000 rows. */
export async function residentMemory(): Promise<Figure[]> {
  const redis = await startRedisProcess();
  const child = fork(new URL('memory-child.ts', import.meta.url), [redis.url]);
  const [megabytes] = (await once(child, 'message')) as [number];
  child.disconnect();
  await redis.stop();
  return [atMost('rss_mb', megabytes, 'MB', 200)];
}
