import { join } from 'node:path';
import { type Platform, startPlatform } from './platform.ts';
import { freePort } from './ports.ts';
import { PROJECT_DIR, settingsFromEnvironment } from './settings.ts';
import { Steps } from './steps.ts';

export interface ScratchPlatform extends Platform {
  /** Where `<child>.pid` files lie. */
  readonly runDir: string;
}

/**
 * A platform for tests and benchmarks: on free ports, in `.local/scratch/<name>`, beside any other that runs.
 * AWS_ENDPOINT_URL still names the emulator where it is set; Redis is always its own.
 */
export async function startScratchPlatform(
  name: string,
  simulatorArgs: readonly string[],
  report: (line: string) => void,
): Promise<ScratchPlatform> {
  const dir = join(PROJECT_DIR, '.local/scratch', name);
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [emulatorPort, simulatorPort, streamerPort, redisPort] = ports;
  const platform = await startPlatform({
    settings: {
      ...settingsFromEnvironment(process.env),
      redisUrl: undefined,
      dir,
      emulatorPort,
      simulatorPort,
      streamerPort,
      redisPort,
    },
    simulatorArgs,
    env: process.env,
    steps: new Steps(report),
    report,
    signal: new AbortController().signal,
    pythonDir: join(PROJECT_DIR, '.local/venv'),
  });
  return { ...platform, runDir: join(dir, 'run') };
}
