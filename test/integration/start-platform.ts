import type { PlatformOutputs } from '#local/platform/outputs.ts';
import { startScratchPlatform } from '#local/platform/scratch.ts';

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

export async function startTestPlatform(name: string, simulatorArgs: readonly string[]) {
  const report = (line: string) => process.stdout.write(`  [${name}] ${line}\n`);
  const platform = await startScratchPlatform(name, simulatorArgs, report);
  const env = Object.fromEntries(
    Object.entries(platform.processEnv).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const info: PlatformInfo = {
    outputs: platform.outputs,
    env,
    runDir: platform.runDir,
    emulator: process.env.TEST_EMULATOR ?? 'ministack',
  };
  return { info, stop: () => platform.stop() };
}
