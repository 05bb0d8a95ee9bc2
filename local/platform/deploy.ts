import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetUpProblem } from '../supervise/problem.ts';
import { type CommandOptions, lastLinesOf, runCommand } from './command.ts';
import { LOCAL_REGION } from './emulator.ts';
import { PROJECT_DIR } from './settings.ts';

const CDK = join(PROJECT_DIR, 'node_modules/aws-cdk/bin/cdk');
const ACCOUNT = '000000000000';

/** Outputs of all stacks, by output name. */
export type DeployedOutputs = Readonly<Record<string, string>>;

export interface DeployOptions extends CommandOptions {
  readonly stage: string;
  /** Where the synthesised app and the outputs file go. */
  readonly dir: string;
}

/** Bootstraps and deploys every stack of the stage with the ordinary CDK CLI. @throws SetUpProblem */
export async function deploy(options: DeployOptions): Promise<DeployedOutputs> {
  const app = [
    '--context',
    `stage=${options.stage}`,
    '--output',
    join(options.dir, 'cdk.out'),
    '--no-notices',
  ];
  const outputsFile = join(options.dir, 'cdk-outputs.json');
  // Away from cdk.json, or it would synthesise the whole app first.
  await cdk(['bootstrap', `aws://${ACCOUNT}/${LOCAL_REGION}`, '--no-notices'], {
    ...options,
    cwd: options.dir,
  });
  await cdk(
    [
      'deploy',
      '--all',
      '--require-approval',
      'never',
      '--concurrency',
      '2',
      '--outputs-file',
      outputsFile,
      ...app,
    ],
    options,
  );
  const byStack = JSON.parse(await readFile(outputsFile, 'utf8')) as Record<string, Record<string, string>>;
  return Object.assign({}, ...Object.values(byStack));
}

async function cdk(args: readonly string[], options: CommandOptions): Promise<void> {
  const result = await runCommand(process.execPath, [CDK, ...args], {
    ...options,
    env: { ...options.env, CDK_DISABLE_VERSION_CHECK: '1', CI: '1' },
  });
  if (result.code !== 0) {
    throw new SetUpProblem(
      `"cdk ${args[0]}" failed${options.logFile ? ` (all of it: ${options.logFile})` : ''}. Its last lines were:\n${lastLinesOf(result.output, 12)}`,
    );
  }
}
