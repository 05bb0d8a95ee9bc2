import { join } from 'node:path';
import { STREAMER_NODE_FLAGS } from '#streamer/node-flags.ts';
import type { ChildSpec } from '../supervise/child.ts';
import type { Place } from './place.ts';
import { PROJECT_DIR } from './settings.ts';

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

export function simulatorChild(port: number, args: readonly string[], place: Place): ChildSpec {
  return {
    name: 'simulator',
    command: process.execPath,
    args: [join(PROJECT_DIR, 'simulator/main.ts'), '--port', String(port), ...args],
    env: place.env,
    cwd: PROJECT_DIR,
    logFile: place.logFile,
    isReady: () => answers(`http://127.0.0.1:${port}/_sim/clock`),
    readyTimeoutMs: 30_000,
  };
}

export function streamerChild(port: number, place: Place): ChildSpec {
  return {
    name: 'streamer',
    command: process.execPath,
    args: [...STREAMER_NODE_FLAGS, join(PROJECT_DIR, 'streamer/main.ts')],
    env: { ...place.env, STREAMER_PORT: String(port) },
    cwd: PROJECT_DIR,
    logFile: place.logFile,
    isReady: () => answers(`http://127.0.0.1:${port}/ready`),
    readyTimeoutMs: 30_000,
  };
}
