import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulatorAnswers } from '#local/platform/emulator.ts';
import { freePort } from '#local/platform/ports.ts';
import { PROJECT_DIR } from '#local/platform/settings.ts';
import { isRunning, signalGroup } from '#local/supervise/process-group.ts';

/** There is none on this machine: its tests are skipped with this reason. */
export class LocalStackMissing extends Error {}

export interface RunningLocalStack {
  readonly endpointUrl: string;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 600_000;

/**
 * Starts the LocalStack of LOCALSTACK_COMMAND (called as `<command> start PORT`, in the foreground) on a free port.
 * @throws LocalStackMissing when there is no such command.
 */
export async function startLocalStack(signal: AbortSignal): Promise<RunningLocalStack> {
  const command = resolve(PROJECT_DIR, process.env.LOCALSTACK_COMMAND ?? '../shared/localstack/localstack');
  if (!existsSync(command)) {
    throw new LocalStackMissing(`no LocalStack at ${command}; LOCALSTACK_COMMAND names one`);
  }
  const port = await freePort();
  const child = spawn(command, ['start', String(port)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LAMBDA_SUBPROCESS_NODE: process.execPath },
  });
  await once(child, 'spawn');
  const endpointUrl = `http://127.0.0.1:${port}`;
  const stop = () => stopGroup(child.pid!);
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await emulatorAnswers(endpointUrl))) {
    if (child.exitCode !== null || signal.aborted || performance.now() > deadlineMs) {
      await stop();
      throw new Error(`LocalStack did not come up (${command} start ${port})`);
    }
    await sleep(200);
  }
  return { endpointUrl, stop };
}

async function stopGroup(pid: number): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  for (let tries = 0; tries < 200 && isRunning(pid); tries += 1) await sleep(50);
  signalGroup(pid, 'SIGKILL');
}
