/**
 * Every check of the project, one after another; the last line sums them all: `N passed, N failed[, N skipped]`.
 * --full adds the long durations and the second emulator, --localstack runs the integration tests on LocalStack alone.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '#local/platform/command.ts';
import { PROJECT_DIR } from '#local/platform/settings.ts';
import { reportFailure } from '#local/supervise/problem.ts';
import { onStopSignal } from '#local/supervise/stop-signals.ts';
import { LocalStackMissing, startLocalStack } from './localstack.ts';
import type { RunCounts } from './reporter.ts';

const DIR = join(PROJECT_DIR, '.local/scratch');
const bin = (name: string) => join(PROJECT_DIR, 'node_modules/.bin', name);
const NONE: RunCounts = { passed: 0, failed: 0, skipped: [] };
const stopping = new AbortController();

function add(a: RunCounts, b: RunCounts): RunCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: [...a.skipped, ...b.skipped] };
}

async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<boolean> {
  const { code } = await runCommand(command, args, {
    cwd: PROJECT_DIR,
    env,
    signal: stopping.signal,
    echo: true,
  });
  return code === 0;
}

/** One check that passes or fails as a whole. */
async function check(name: string, command: string, args: readonly string[]): Promise<RunCounts> {
  const ok = await run(command, args);
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${name}\n`);
  return ok ? { ...NONE, passed: 1 } : { ...NONE, failed: 1 };
}

async function vitest(projects: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RunCounts> {
  const countsFile = join(DIR, 'counts.json');
  rmSync(countsFile, { force: true });
  const reporters = ['--reporter=default', '--reporter=./test/reporter.ts'];
  const ok = await run(
    bin('vitest'),
    ['run', ...projects.flatMap((project) => ['--project', project]), ...reporters],
    {
      ...process.env,
      ...env,
      TEST_COUNTS_FILE: countsFile,
    },
  );
  if (!existsSync(countsFile)) return { ...NONE, failed: 1 };
  const counts = JSON.parse(readFileSync(countsFile, 'utf8')) as RunCounts;
  // A run that failed before any test did (a set-up that threw) must not look green.
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

const PLATFORM_RUNS = [['integration'], ['recorded-day']] as const;
/** With all instruments chaos needs the machine for itself. */
const FULL_FAULT_RUNS = [['faults'], ['chaos']];

/** Every platform run gets a LocalStack of its own, empty. */
async function onLocalStack(): Promise<RunCounts> {
  let counts = NONE;
  for (const projects of PLATFORM_RUNS) {
    const localStack = await startLocalStack(stopping.signal).catch((error: unknown) => {
      if (error instanceof LocalStackMissing) return error;
      throw error;
    });
    if (localStack instanceof LocalStackMissing) {
      return add(counts, { ...NONE, skipped: [`integration tests on LocalStack: ${localStack.message}`] });
    }
    try {
      counts = add(
        counts,
        await vitest(projects, { AWS_ENDPOINT_URL: localStack.endpointUrl, TEST_EMULATOR: 'localstack' }),
      );
    } finally {
      await localStack.stop();
    }
  }
  return counts;
}

async function allOnDefault(isFull: boolean): Promise<RunCounts> {
  const env = isFull ? { FULL: '1' } : {};
  let counts = await check('types (tsc)', bin('tsc'), []);
  counts = add(counts, await check('format and lint (biome)', bin('biome'), ['check', '.']));
  counts = add(counts, await vitest(['unit'], env));
  for (const projects of PLATFORM_RUNS) counts = add(counts, await vitest(projects, env));
  for (const projects of isFull ? FULL_FAULT_RUNS : [FULL_FAULT_RUNS.flat()]) {
    counts = add(counts, await vitest(projects, env));
  }
  return counts;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { full: { type: 'boolean' }, localstack: { type: 'boolean' } } });
  onStopSignal((reason) => stopping.abort(new Error(`stopped (${reason})`)));
  mkdirSync(DIR, { recursive: true });
  let counts = values.localstack ? NONE : await allOnDefault(values.full ?? false);
  if (values.localstack || values.full) counts = add(counts, await onLocalStack());
  if (counts.skipped.length > 0)
    process.stdout.write(`\nSkipped:\n${counts.skipped.map((name) => `  ${name}\n`).join('')}`);
  const skipped = counts.skipped.length > 0 ? `, ${counts.skipped.length} skipped` : '';
  process.exitCode = counts.failed > 0 ? 1 : 0;
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
}

await main().catch((error: unknown) => {
  reportFailure(error);
  process.stdout.write('0 passed, 1 failed\n');
});
