import { join } from 'node:path';
import type { PlatformOutputs } from '#local/platform/outputs.ts';
import { startPlatform } from '#local/platform/platform.ts';
import { freePort } from '#local/platform/ports.ts';
import { PROJECT_DIR, settingsFromEnvironment } from '#local/platform/settings.ts';
import { Steps } from '#local/platform/steps.ts';

/** What tests learn of the platform; plain data, because it crosses into the test's process. */
export interface PlatformInfo {
  readonly outputs: PlatformOutputs;
  /** Environment of a process that uses the platform's AWS, Redis, broker and clock. */
  readonly env: Readonly<Record<string, string>>;
  /** Where `<child>.pid` files lie. */
  readonly runDir: string;
  /** `ministack` or `localstack`. */
  readonly emulator: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    platform: PlatformInfo;
  }
}

/** Starts the platform on free ports, in a folder of its own, beside any other that runs. */
export async function startTestPlatform(name: string, simulatorArgs: readonly string[]) {
  const dir = join(PROJECT_DIR, '.local/test', name);
  const line = (text: string) => process.stdout.write(`  [${name}] ${text}\n`);
  const [emulatorPort, simulatorPort, streamerPort, redisPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
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
    steps: new Steps(line),
    report: line,
    signal: new AbortController().signal,
    pythonDir: join(PROJECT_DIR, '.local/venv'),
  });
  const env = Object.fromEntries(
    Object.entries(platform.processEnv).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const info: PlatformInfo = {
    outputs: platform.outputs,
    env,
    runDir: join(dir, 'run'),
    emulator: process.env.TEST_EMULATOR ?? 'ministack',
  };
  return { info, stop: () => platform.stop() };
}
