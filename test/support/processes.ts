import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { freePort } from '#local/platform/ports.ts';
import { redisServerOnPath } from '#local/platform/redis.ts';
import { until } from './until.ts';

export { until };

const PROJECT_DIR = resolve(import.meta.dirname, '../..');

/** A child process of a test or benchmark, on a port of its own. */
export interface OwnProcess {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** The server on PATH, else the one that `npm start` installed. */
export function redisServer(): string | undefined {
  const installed = join(PROJECT_DIR, '.local/venv/bin/redis-server');
  return redisServerOnPath(process.env) ?? (existsSync(installed) ? installed : undefined);
}

export const NO_REDIS = 'no redis-server on PATH and none in .local/venv: run npm start once';

export interface RedisOptions {
  /** A port that was used before: a server that comes back. */
  readonly port?: number;
  readonly password?: string;
  /** Runs the server under this command, for example `taskset -c 1`. */
  readonly under?: readonly string[];
}

const REDIS_ATTEMPTS = 5;

/** A Redis that keeps nothing on disk, with the pub/sub buffers that docs/streamer.md asks for. */
export async function startRedisProcess(options: RedisOptions = {}): Promise<OwnProcess> {
  // A free port may be another program's by the time it is used; one that is asked for is never exchanged.
  for (let attempt = 1; options.port === undefined && attempt < REDIS_ATTEMPTS; attempt += 1) {
    const started = await redisAt(await freePort(), options);
    if (started !== undefined) return started;
  }
  const port = options.port ?? (await freePort());
  const started = await redisAt(port, options);
  if (started === undefined) throw new Error(`Redis did not start on port ${port}`);
  return started;
}

/** Undefined when the server could not have the port. */
async function redisAt(port: number, options: RedisOptions): Promise<OwnProcess | undefined> {
  const server = redisServer();
  if (server === undefined) throw new Error(NO_REDIS);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  args.push('--client-output-buffer-limit', 'pubsub', '256mb', '64mb', '60');
  if (options.password !== undefined) args.push('--requirepass', options.password);
  const login = options.password === undefined ? '' : `:${options.password}@`;
  const url = `redis://${login}127.0.0.1:${port}`;
  const [command = server, ...rest] = [...(options.under ?? []), server, ...args];
  const child = spawn(command, rest, { stdio: 'ignore', cwd: '/' });
  const owned = own(child, url, port);
  const isUp = async () => hasEnded(child) || (await redisPid(url)) === child.pid;
  await until(isUp, 10_000, 'Redis to answer');
  return hasEnded(child) ? undefined : owned;
}

/** The process that answers there, so that a stranger on the same port is not taken for one's own. */
async function redisPid(url: string): Promise<number | undefined> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  try {
    await client.connect();
    return Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

/** The simulator on a port that it takes itself; `args` as on its command line. */
export async function startSimulatorProcess(args: readonly string[] = []): Promise<OwnProcess> {
  const child = spawn(process.execPath, [join(PROJECT_DIR, 'simulator/main.ts'), '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: PROJECT_DIR,
  });
  let url: string | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    url ??= /REST and login (http:\S+),/.exec(line)?.[1];
  });
  const ending = own(child, '', 0);
  await until(() => url !== undefined || hasEnded(child), 30_000, 'the simulator to say where it is');
  if (url === undefined) throw new Error(`the simulator ended with ${child.exitCode ?? child.signalCode}`);
  return { ...ending, url, port: Number(new URL(url).port) };
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Ends with this process at the latest. */
export function own(child: ChildProcess, url: string, port: number): OwnProcess {
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return { url, port, child, stop };
}

/** Whether a success is answered within a second. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
