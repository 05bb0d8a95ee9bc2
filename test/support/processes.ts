import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort } from '#local/platform/ports.ts';
import { redisAnswers, redisServerOnPath } from '#local/platform/redis.ts';
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

/** A Redis that keeps nothing on disk, with the pub/sub buffers that docs/streamer.md asks for. */
export async function startRedisProcess(options: RedisOptions = {}): Promise<OwnProcess> {
  const server = redisServer();
  if (server === undefined) throw new Error(NO_REDIS);
  const port = options.port ?? (await freePort());
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  args.push('--client-output-buffer-limit', 'pubsub', '256mb', '64mb', '60');
  if (options.password !== undefined) args.push('--requirepass', options.password);
  const login = options.password === undefined ? '' : `:${options.password}@`;
  const url = `redis://${login}127.0.0.1:${port}`;
  const [command = server, ...rest] = [...(options.under ?? []), server, ...args];
  const owned = own(spawn(command, rest, { stdio: 'ignore', cwd: '/' }), url, port);
  await until(() => redisAnswers(url), 10_000, 'Redis to answer');
  return owned;
}

/** The simulator on a free port; `args` as on its command line. */
export async function startSimulatorProcess(args: readonly string[] = []): Promise<OwnProcess> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [join(PROJECT_DIR, 'simulator/main.ts'), '--port', String(port), ...args],
    { stdio: ['ignore', 'ignore', 'inherit'], cwd: PROJECT_DIR },
  );
  const url = `http://127.0.0.1:${port}`;
  const owned = own(child, url, port);
  await until(() => answers(`${url}/_sim/clock`), 30_000, 'the simulator to answer');
  return owned;
}

/** Ends with this process at the latest. */
export function own(child: ChildProcess, url: string, port: number): OwnProcess {
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
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
