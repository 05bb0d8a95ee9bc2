import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest that this thread worked between two turns of the event loop, ms of its own processor time. */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  const state = { done: false };
  const working = work().finally(() => {
    state.done = true;
  });
  let longestUs = 0;
  let before = process.threadCpuUsage();
  while (!state.done) {
    await nextTurn();
    const now = process.threadCpuUsage();
    longestUs = Math.max(longestUs, now.user + now.system - before.user - before.system);
    before = now;
  }
  await working;
  return longestUs / 1_000;
}
