import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChildSpec } from '#local/supervise/child.ts';
import { isRunning } from '#local/supervise/process-group.ts';
import { Supervisor } from '#local/supervise/supervisor.ts';
import { until } from '#test/support/processes.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'supervisor-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process that runs `script`; ready once it has written the file `ready`. */
function node(name: string, script: string): ChildSpec {
  return {
    name,
    command: process.execPath,
    args: ['-e', `${script}; require('fs').writeFileSync(${JSON.stringify(join(dir, 'ready'))}, '')`],
    env: process.env,
    cwd: dir,
    logFile: join(dir, `${name}.log`),
    isReady: async () => existsSync(join(dir, 'ready')),
    readyTimeoutMs: 5_000,
  };
}

const FOREVER = 'setInterval(() => {}, 1000)';
const pidOf = (name: string) => Number(readFileSync(join(dir, `${name}.pid`), 'utf8'));

const WAIT_MS = 30_000;

describe('the supervisor', () => {
  it('restarts a child that was killed and reports its last lines', async () => {
    const reports: string[] = [];
    const supervisor = new Supervisor({ report: (line) => reports.push(line), pidDir: dir });
    await supervisor.start(node('worker', `console.log('about to work'); ${FOREVER}`));
    const firstPid = pidOf('worker');
    process.kill(firstPid, 'SIGKILL');
    await until(() => reports.some((line) => line.includes('is back')), WAIT_MS, 'it is back');
    expect(reports[0]).toContain('worker died (SIGKILL)');
    expect(reports[0]).toContain('about to work');
    expect(pidOf('worker')).not.toBe(firstPid);
    await supervisor.stop();
    expect(existsSync(join(dir, 'worker.pid'))).toBe(false);
  });

  it('goes on trying when a restart itself fails, and says why', async () => {
    const reports: string[] = [];
    const supervisor = new Supervisor({ report: (line) => reports.push(line), pidDir: dir });
    const command = join(dir, 'node');
    symlinkSync(process.execPath, command);
    await supervisor.start({ ...node('worker', FOREVER), command });
    rmSync(command);
    process.kill(pidOf('worker'), 'SIGKILL');
    await until(() => reports.some((line) => line.includes('could not be started')), WAIT_MS, 'it failed');
    symlinkSync(process.execPath, command);
    await until(() => reports.some((line) => line.includes('is back')), WAIT_MS, 'it is back');
    await supervisor.stop();
  });

  it('stops children that ignore a polite request, and stopping twice is harmless', async () => {
    const supervisor = new Supervisor({ report: () => {}, pidDir: dir });
    await supervisor.start(node('stubborn', `process.on('SIGTERM', () => {}); ${FOREVER}`));
    const pid = pidOf('stubborn');
    await supervisor.stop();
    await supervisor.stop();
    expect(isRunning(pid)).toBe(false);
  });

  it('says why a child never became ready and leaves nothing behind', async () => {
    const supervisor = new Supervisor({ report: () => {}, pidDir: dir });
    const spec = {
      ...node('broken', `console.error('no licence'); process.exit(3)`),
      isReady: async () => false,
    };
    await expect(supervisor.start(spec)).rejects.toThrow(
      /broken ended while starting \(exit code 3\)[\s\S]*no licence/,
    );
    await supervisor.stop();
  });

  it('names a command that does not exist', async () => {
    const supervisor = new Supervisor({ report: () => {}, pidDir: dir });
    const spec = { ...node('ghost', ''), command: '/nowhere/ghost' };
    await expect(supervisor.start(spec)).rejects.toThrow(/ghost could not be started \(\/nowhere\/ghost\)/);
    await supervisor.stop();
  });

  it('has its children stopped even when it is killed itself', async () => {
    const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'doomed-supervisor.ts'), dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await saysReady(supervisor);
    const pid = pidOf('orphan');
    expect(isRunning(pid)).toBe(true);
    supervisor.kill('SIGKILL');
    await until(() => !isRunning(pid), WAIT_MS, 'the orphan is gone');
  });
});

async function saysReady(child: ChildProcess): Promise<void> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  expect(chunk.toString()).toContain('ready');
}
