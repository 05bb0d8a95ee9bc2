import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import type { ChildSpec } from '../supervise/child.ts';
import { SetUpProblem } from '../supervise/problem.ts';
import type { Place } from './place.ts';

/** Whether a Redis server answers at the URL. */
export async function redisAnswers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** `redis-server` or `valkey-server` on PATH, if there is one. */
export function redisServerOnPath(env: NodeJS.ProcessEnv): string | undefined {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const dir of (env.PATH ?? '').split(delimiter)) {
      const file = join(dir, name);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws SetUpProblem when the server that REDIS_URL names does not answer. */
export async function requireRedis(url: string): Promise<void> {
  if (!(await redisAnswers(url))) {
    throw new SetUpProblem(
      `No Redis server answers at REDIS_URL=${url.replace(/\/\/.*@/, '//***@')}: start it, or unset REDIS_URL to have one started.`,
    );
  }
}

/** A server on loopback that keeps nothing on disk; pub/sub buffers as docs/streamer.md asks for. */
export function redisChild(server: string, port: number, place: Place): ChildSpec {
  const flags = {
    port: String(port),
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
    'client-output-buffer-limit': 'pubsub 256mb 64mb 60',
  };
  return {
    name: 'redis',
    command: server,
    args: Object.entries(flags).flatMap(([name, value]) => [
      `--${name}`,
      ...(name.startsWith('client-') ? value.split(' ') : [value]),
    ]),
    env: place.env,
    cwd: place.dir,
    logFile: place.logFile,
    isReady: () => redisAnswers(`redis://127.0.0.1:${port}`),
    readyTimeoutMs: 10_000,
  };
}
