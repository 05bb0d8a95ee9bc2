import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What a run comes to; `skipped` holds names with their reasons. */
export interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
}

/** Writes the counts of a run to the file that TEST_COUNTS_FILE names. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env.TEST_COUNTS_FILE;
    if (file === undefined) return;
    writeFileSync(file, JSON.stringify(count(modules, unhandledErrors.length)));
  }
}

function count(modules: readonly TestModule[], unhandledErrors: number): RunCounts {
  const skipped: string[] = [];
  let passed = 0;
  let failed = unhandledErrors;
  for (const module of modules) {
    if (module.state() === 'failed' && module.errors().length > 0) failed += 1;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'skipped')
        skipped.push(`${test.fullName}${result.note ? `: ${result.note}` : ''}`);
      else failed += 1;
    }
  }
  return { passed, failed, skipped };
}
