import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { startRedisProcess } from '#test/support/processes.ts';
import { atMost, type Figure } from '../figure.ts';
import { benchFrames, benchOptions, REGISTRY_ROWS } from './universe.ts';

const INSTRUMENTS = 9_000;

/**
 * Resident memory of a process that streams 9,000 instruments and checks them against a dump of 114,000 rows, which
 * is replaced once while it streams.
 */
export async function residentMemory(): Promise<Figure[]> {
  const redis = await startRedisProcess();
  const dir = await mkdtemp(join(tmpdir(), 'rss-'));
  const dump = join(dir, 'all.csv.gz');
  await writeFile(dump, gzipSync(formatInstrumentsCsv(benchOptions(REGISTRY_ROWS))));
  const args = [redis.url, dump, String(INSTRUMENTS), String(REGISTRY_ROWS)];
  const child = fork(new URL('memory-child.ts', import.meta.url), args, { serialization: 'advanced' });
  await once(child, 'message');
  const frames = benchFrames(benchOptions(INSTRUMENTS), 100, 1);
  child.send(frames.map((frame) => new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength)));
  const [megabytes] = (await once(child, 'message')) as [number];
  child.disconnect();
  await redis.stop();
  await rm(dir, { recursive: true });
  return [atMost('rss_mb', megabytes, 'MB', 200)];
}
