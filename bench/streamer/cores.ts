import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** The streamer's path on core 0 and everything else on core 1, where `taskset` exists and there are two. */
export function canPin(): boolean {
  if (cpus().length < 2) return false;
  try {
    execFileSync('taskset', ['-p', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function pinSelf(core: number): void {
  if (canPin())
    execFileSync('taskset', ['-a', '-cp', String(core), String(process.pid)], { stdio: 'ignore' });
}

/** What to put before a child's command line. */
export function underCore(core: number): string[] {
  return canPin() ? ['taskset', '-c', String(core)] : [];
}
