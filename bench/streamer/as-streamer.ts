import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { STREAMER_NODE_FLAGS } from '#streamer/node-flags.ts';

/**
 * Runs a benchmark as Node runs a streamer: without the streamer's flags this process starts itself again with them
 * and ends as that one does.
 */
export async function asStreamer(work: () => Promise<number>): Promise<number> {
  if (STREAMER_NODE_FLAGS.every((flag) => process.execArgv.includes(flag))) return work();
  const args = [...process.execArgv, ...STREAMER_NODE_FLAGS, ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
