import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SetUpProblem } from '../supervise/problem.ts';

export const PROJECT_DIR = resolve(import.meta.dirname, '../..');

const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);

const environmentSchema = z.object({
  EMULATOR_PORT: port(4566),
  SIMULATOR_PORT: port(4570),
  STREAMER_PORT: port(4571),
  REDIS_PORT: port(4572),
  /** An emulator that already runs; unset: one is installed and started. */
  AWS_ENDPOINT_URL: z.url().optional(),
  /** A Redis server that already runs; unset: one is found or installed, and started. */
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  PYTHON: z.string().default('python3'),
});

export interface LocalSettings {
  /** Everything that a run leaves behind lies in here. */
  readonly dir: string;
  readonly emulatorPort: number;
  readonly simulatorPort: number;
  readonly streamerPort: number;
  readonly redisPort: number;
  readonly awsEndpointUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly python: string;
}

/** @throws SetUpProblem that names every variable which is not usable. */
export function settingsFromEnvironment(env: NodeJS.ProcessEnv): LocalSettings {
  const parsed = environmentSchema.safeParse(env);
  if (!parsed.success) {
    const reasons = parsed.error.issues
      .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('; ');
    throw new SetUpProblem(`These environment variables cannot be used: ${reasons}`);
  }
  const values = parsed.data;
  return {
    dir: join(PROJECT_DIR, '.local'),
    emulatorPort: values.EMULATOR_PORT,
    simulatorPort: values.SIMULATOR_PORT,
    streamerPort: values.STREAMER_PORT,
    redisPort: values.REDIS_PORT,
    awsEndpointUrl: values.AWS_ENDPOINT_URL,
    redisUrl: values.REDIS_URL,
    python: values.PYTHON,
  };
}
