import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LongestStop } from '#streamer/health/longest-stop.ts';

const STOP_MS = 300;
/** What a timer of 10 ms may take off it. */
const LEAST_MS = STOP_MS - 10;

function standStill(): void {
  const startedMs = performance.now();
  while (performance.now() - startedMs < STOP_MS);
}

describe('the longest stop of the event loop', () => {
  let longest: LongestStop;
  beforeEach(() => {
    longest = new LongestStop();
  });
  afterEach(() => longest.stop());

  it('is known to a reading in the turn that made it wait', () => {
    standStill();
    expect(longest.read()).toBeGreaterThanOrEqual(LEAST_MS);
  });

  it('is known to a reading long after it, however many short turns came between', async () => {
    standStill();
    for (let turn = 0; turn < 1_000; turn += 1) await nextTurn();
    await sleep(50);
    expect(longest.read()).toBeGreaterThanOrEqual(LEAST_MS);
  });

  it('is told once', async () => {
    standStill();
    longest.read();
    expect(longest.read()).toBeLessThan(LEAST_MS);
  });
});
