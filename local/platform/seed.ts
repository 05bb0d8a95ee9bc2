import { join } from 'node:path';
import { z } from 'zod';
import { SetUpProblem } from '../supervise/problem.ts';
import { lastLinesOf, runCommand } from './command.ts';
import { PROJECT_DIR } from './settings.ts';

export interface SeedOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly apiUrl: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

const seededSchema = z.object({ api_key: z.string() });

/** Runs local/seed.ts under the platform's environment. @throws SetUpProblem */
export async function seed(options: SeedOptions): Promise<{ readonly api_key: string }> {
  const result = await runCommand(process.execPath, [join(PROJECT_DIR, 'local/seed.ts'), options.apiUrl], {
    cwd: PROJECT_DIR,
    env: options.env,
    logFile: options.logFile,
    signal: options.signal,
  });
  const lastLine = lastLinesOf(result.output, 1);
  if (result.code !== 0) {
    throw new SetUpProblem(
      `The first account, key and instruments could not be made (${options.logFile}). The last lines were:\n${lastLinesOf(result.output, 8)}`,
    );
  }
  return seededSchema.parse(JSON.parse(lastLine));
}
