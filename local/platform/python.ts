import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetUpProblem } from '../supervise/problem.ts';
import { type CommandOptions, lastLinesOf, runCommand } from './command.ts';
import { PROJECT_DIR } from './settings.ts';

const OLDEST_PYTHON: readonly [number, number] = [3, 10];
const ENVIRONMENT_MB = 200;
const REQUIREMENTS = join(PROJECT_DIR, 'local/requirements.txt');

export interface PythonEnvironment {
  readonly dir: string;
  readonly python: string;
  readonly redisServer: string;
  /** Whether it was made just now. */
  readonly installed: boolean;
}

/** The environment's place; it may not be made yet. */
export function pythonEnvironmentAt(dir: string): Omit<PythonEnvironment, 'installed'> {
  return { dir, python: join(dir, 'bin/python'), redisServer: join(dir, 'bin/redis-server') };
}

/** Makes `dir` a virtual environment with local/requirements.txt, unless it already is one. @throws SetUpProblem */
export async function ensurePythonEnvironment(
  dir: string,
  python: string,
  options: CommandOptions,
): Promise<PythonEnvironment> {
  const version = await pythonVersion(python, options);
  const requirements = await readFile(REQUIREMENTS, 'utf8');
  const fingerprint = createHash('sha256').update(`${version}\n${dir}\n${requirements}`).digest('hex');
  const stampFile = join(dir, '.installed-requirements');
  const made = pythonEnvironmentAt(dir);
  const stamp = await readFile(stampFile, 'utf8').catch(() => undefined);
  if (stamp === fingerprint) return { ...made, installed: false };

  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  // Asked before: on a full disk venv and pip fail in many ways, few of which say so.
  const { bavail, bsize } = await statfs(dir);
  if ((bavail * bsize) / 1e6 < ENVIRONMENT_MB) throw diskFull();
  const venv = await runCommand(python, ['-m', 'venv', dir], options);
  if (venv.code !== 0) throw explainVenvFailure(venv.output);
  const pip = await runCommand(
    made.python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS],
    options,
  );
  if (pip.code !== 0) throw explainPipFailure(pip.output);
  await writeFile(stampFile, fingerprint);
  return { ...made, installed: true };
}

async function pythonVersion(python: string, options: CommandOptions): Promise<string> {
  const wanted = `Python ${OLDEST_PYTHON.join('.')} or newer is needed`;
  const result = await runCommand(
    python,
    ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'],
    options,
  ).catch(() => {
    throw new SetUpProblem(
      `${wanted}, but "${python}" was not found: install it or name another with PYTHON=<path>.`,
    );
  });
  const version = result.output.trim();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (
    result.code !== 0 ||
    major < OLDEST_PYTHON[0] ||
    (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1])
  ) {
    throw new SetUpProblem(
      `${wanted}, but "${python}" is ${version}: install one or name another with PYTHON=<path>.`,
    );
  }
  return version;
}

function explainVenvFailure(output: string): SetUpProblem {
  if (isDiskFull(output)) return diskFull();
  return new SetUpProblem(
    `Python could not make a virtual environment (on Debian and Ubuntu: install python3-venv). It said:\n${lastLinesOf(output, 6)}`,
  );
}

function explainPipFailure(output: string): SetUpProblem {
  if (isDiskFull(output)) return diskFull();
  if (/Connection|Temporary failure|timed out|Could not find a version|ProxyError|SSLError/i.test(output)) {
    return new SetUpProblem(
      `The Python packages of local/requirements.txt could not be downloaded: check the network (and pip's proxy or index settings) and run the command again.\n${lastLinesOf(output, 3)}`,
    );
  }
  return new SetUpProblem(
    `pip could not install local/requirements.txt. Its last lines were:\n${lastLinesOf(output, 8)}`,
  );
}

const isDiskFull = (output: string) => /No space left on device|Errno 28/i.test(output);
const diskFull = () =>
  new SetUpProblem(
    `The disk is full: about ${ENVIRONMENT_MB} MB are needed below .local/. Free some space and run the command again.`,
  );
