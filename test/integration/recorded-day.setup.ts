import { existsSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { RECORDED_DAY } from './recorded-day.ts';
import { startTestPlatform } from './start-platform.ts';

/** The platform on the recorded trading day; nothing is started where the recording is missing. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!RECORDED_DAY.files.every((file) => existsSync(file))) return undefined;
  const platform = await startTestPlatform('recorded-day', [
    ...RECORDED_DAY.dumps.flatMap((file) => ['--instruments', file]),
    '--replay',
    RECORDED_DAY.chain,
    '--speed',
    String(RECORDED_DAY.speed),
  ]);
  project.provide('platform', platform.info);
  return platform.stop;
}
