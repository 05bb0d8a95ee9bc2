/**
 * `npm run faults -- [--report] [--times N] [--only NAME]...`: breaks one thing after another in a running fleet and
 * measures what readers see of it. Prints a table; with --report writes its rows into docs/faults.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_DIR } from '#local/platform/settings.ts';
import { onStopSignal } from '#local/supervise/stop-signals.ts';
import { type Fleet, fleetProblem } from '#test/faults/support/fleet.ts';
import { type FleetAws, startAws } from '#test/faults/support/fleet-aws.ts';
import { DAY_FAULTS } from './day-faults.ts';
import type { Fault } from './fault.ts';
import { FEED_FAULTS } from './feed-faults.ts';
import { measure, type Run, startFleet } from './measure.ts';
import { STORE_FAULTS } from './store-faults.ts';
import { STREAMER_FAULTS } from './streamer-faults.ts';
import { headLines, rowOf, withRows } from './table.ts';

const PAGE = join(PROJECT_DIR, 'docs/faults.md');
const FAULTS: readonly Fault[] = [...FEED_FAULTS, ...STREAMER_FAULTS, ...STORE_FAULTS, ...DAY_FAULTS];

const say = (line: string) => process.stderr.write(`${line}\n`);

/** What runs at the moment, so that a signal can end it. */
interface Stage {
  readonly aws: FleetAws;
  shared: Fleet | undefined;
  own: Fleet | undefined;
}

async function runOnce(stage: Stage, fault: Fault): Promise<Run> {
  if (fault.own === undefined) {
    stage.shared ??= await startFleet(stage.aws);
    return measure(stage.shared, fault);
  }
  stage.own = await startFleet(stage.aws, fault.own);
  try {
    return await measure(stage.own, fault);
  } finally {
    await stage.own.stop();
    stage.own = undefined;
  }
}

/** @returns the runs that came to an end; whatever one of them found wrong is said at once. */
async function runAll(stage: Stage, fault: Fault, times: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let index = 0; index < times; index += 1) {
    const run = await runOnce(stage, fault);
    runs.push(run);
    say(`  ${fault.name} ${index + 1}/${times}: ${JSON.stringify(run)}`);
  }
  return runs;
}

const isSound = ({ unexplained, late }: Run) => unexplained === 0 && late === 0;

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      report: { type: 'boolean' },
      times: { type: 'string', default: '20' },
      only: { type: 'string', multiple: true },
    },
  });
  const times = Number(values.times);
  if (!Number.isInteger(times) || times < 1) throw new Error('--times must be a whole number above 0');
  const wanted = FAULTS.filter(({ name }) => values.only?.some((part) => name.includes(part)) ?? true);
  if (wanted.length === 0)
    throw new Error(`no fault is named so; there are: ${FAULTS.map(({ name }) => name).join('; ')}`);
  const problem = fleetProblem();
  if (problem !== undefined) throw new Error(problem);

  const stage: Stage = { aws: await startAws('faults-report'), shared: undefined, own: undefined };
  const stop = async () => {
    await stage.own?.stop();
    await stage.shared?.stop();
    await stage.aws.stop();
  };
  onStopSignal(() => void stop().finally(() => process.exit(130)));
  let isGood = true;
  try {
    process.stdout.write(`${headLines()}\n`);
    for (const fault of wanted) {
      const runs = await runAll(stage, fault, times);
      const row = rowOf(fault, runs);
      process.stdout.write(`${row}\n`);
      isGood &&= runs.every(isSound);
      if (values.report) {
        const page = await readFile(PAGE, 'utf8');
        await writeFile(PAGE, withRows(page, FAULTS, new Map([[fault.name, row]])));
      }
    }
  } finally {
    await stop();
  }
  return isGood;
}

main().then(
  (isGood) => process.exit(isGood ? 0 : 1),
  (error: Error) => {
    say(`faults: ${error.message}`);
    process.exit(1);
  },
);
