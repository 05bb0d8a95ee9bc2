import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(...args: string[]) {
  const child = spawn(process.execPath, ['simulator/main.ts', ...args]);
  children.push(child);
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  return { child, output, exited: once(child, 'close').then(([code]) => code as number | null) };
}

const SOON = { timeout: 10_000, interval: 20 };

test('it starts on a free port, says where, answers, and ends on SIGTERM with 0 and no complaint', async () => {
  const { child, output, exited } = start('--port', '0', '--market', 'open');
  await expect.poll(() => output.out, SOON).toMatch(/^simulator ready: .*\n$/);
  const url = /http:\/\/[0-9.:]+/.exec(output.out)?.[0];
  expect((await fetch(`${url}/_sim/clock`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(output.err).toBe('');
});

test('a taken port is one sentence and exit code 1', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { output, exited } = start('--port', String(port));
  expect(await exited).toBe(1);
  expect(output.err).toBe(`simulator: port ${port} is taken: choose another with --port\n`);
  server.close();
});

test.each(['--instruments', '--replay'])(
  '%s with a file that is no such CSV is one sentence and exit code 1',
  async (option) => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    const file = join(folder, 'broken.csv');
    await writeFile(file, 'a,b\n1,2\n');
    const { output, exited } = start('--port', '0', option, file);
    expect(await exited).toBe(1);
    expect(output.err).toMatch(/^simulator: .*broken\.csv.*\n$/);
    await rm(folder, { recursive: true });
  },
);
