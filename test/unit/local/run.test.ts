import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '../../..');
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'clone-'));
  mkdirSync(join(clone, 'local'));
  cpSync(join(PROJECT, 'local/run.cjs'), join(clone, 'local/run.cjs'));
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(PROJECT, file), join(clone, file));
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** Runs the entry in a clone without packages; `npm` is a shell script of ours. */
function start(npm: string, before: string[] = []) {
  const bin = join(clone, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
  const { npm_execpath: _, ...env } = process.env;
  return spawnSync(process.execPath, [...before, 'local/run.cjs', 'hello.mjs'], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...env, PATH: `${bin}:/usr/bin:/bin` },
  });
}

describe('the entry of every npm script, on a fresh clone', () => {
  it('says that a Node is too old and which one to install', () => {
    writeFileSync(
      join(clone, 'old.cjs'),
      `Object.defineProperty(process, 'version', { value: 'v18.19.0' });`,
    );
    const result = start('exit 0', ['--require', './old.cjs']);
    expect(result.stderr).toBe(
      'Node v18.19.0 is too old: install Node 20 or newer (https://nodejs.org) and run the command again.\n',
    );
    expect(result.status).toBe(1);
  });

  it.each([
    ['npm error code ENOTFOUND', /could not be downloaded: check the network/],
    ['npm error code ENOSPC', /The disk is full/],
    ['npm error code EACCES', /cannot be written to/],
    ['npm error something else', /npm could not install the packages[\s\S]*something else/],
  ])('turns "%s" into one sentence with the way out', (output, sentence) => {
    const result = start(`echo "${output}" >&2; exit 1`);
    expect(result.stderr).toMatch(sentence);
    expect(result.status).toBe(1);
  });

  it('runs the file once the packages are there, and hands its exit code on', () => {
    writeFileSync(join(clone, 'hello.mjs'), 'console.log("hello"); process.exit(7);');
    mkdirSync(join(clone, 'node_modules'));
    cpSync(join(clone, 'package-lock.json'), join(clone, 'node_modules/.package-lock.json'));
    const result = start('echo must not be called >&2; exit 1');
    expect(result.stdout).toBe('hello\n');
    expect(result.status).toBe(7);
  });
});
