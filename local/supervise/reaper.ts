/**
 * A process of its own that outlives a killed supervisor just long enough to stop what that one had started.
 * It reads lines `+PID` and `-PID` from its standard input; when the input ends, the process groups still listed
 * are told to stop, and after `GRACE_MS` killed.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, signalGroup } from './process-group.ts';

const GRACE_MS = 6_000;

async function stopAll(pids: ReadonlySet<number>): Promise<void> {
  for (const pid of pids) signalGroup(pid, 'SIGTERM');
  const deadlineMs = performance.now() + GRACE_MS;
  while (performance.now() < deadlineMs && [...pids].some(isRunning)) await sleep(50);
  for (const pid of pids) signalGroup(pid, 'SIGKILL');
}

const pids = new Set<number>();
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) pids.add(pid);
  else pids.delete(pid);
}
await stopAll(pids);
