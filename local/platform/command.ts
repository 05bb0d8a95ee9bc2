import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { signalGroup } from '../supervise/process-group.ts';

export interface CommandResult {
  readonly code: number | null;
  /** Standard output and error as they came. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile?: string;
  /** Shows the output as it comes. */
  readonly echo?: boolean;
  /** Aborting stops the command and all that it started. */
  readonly signal?: AbortSignal;
}

/** Runs a command to its end. @throws when it cannot be run at all. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => child.pid && signalGroup(child.pid, 'SIGTERM');
  options.signal?.addEventListener('abort', stop);
  const log = options.logFile ? createWriteStream(options.logFile, { flags: 'a' }) : undefined;
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (options.echo) process.stdout.write(chunk);
      log?.write(chunk);
    });
  }
  try {
    await once(child, 'close');
  } finally {
    options.signal?.removeEventListener('abort', stop);
    log?.end();
  }
  options.signal?.throwIfAborted();
  return { code: child.exitCode, output: Buffer.concat(chunks).toString('utf8') };
}

export function lastLinesOf(output: string, count: number): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
