import type { TestProject } from 'vitest/node';
import { startTestPlatform } from './start-platform.ts';

/** The platform of most integration tests: built-in universe, held open, at the speed of the clock. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const platform = await startTestPlatform('integration', ['--market', 'open']);
  project.provide('platform', platform.info);
  return platform.stop;
}
