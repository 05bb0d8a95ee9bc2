import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SetUpProblem } from '../supervise/problem.ts';
import { PROJECT_DIR } from './settings.ts';

const outputsSchema = z.object({
  api_url: z.url(),
  api_key: z.string(),
  simulator_url: z.url(),
  redis_url: z.url(),
  streamer_url: z.url(),
});

/** What `.local/outputs.json` holds: where everything is, and an admin key. */
export type PlatformOutputs = z.infer<typeof outputsSchema>;

/** @throws SetUpProblem when nothing was ever started here. */
export function readOutputs(): PlatformOutputs {
  const file = join(PROJECT_DIR, '.local/outputs.json');
  try {
    return outputsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new SetUpProblem(`${file} is not there (or not readable): run npm start first.`);
  }
}
