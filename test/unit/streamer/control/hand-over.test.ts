import { describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { handBack, handOver } from '#streamer/control/hand-over.ts';
import { newLane } from '#test/support/lane.ts';

const TIMEOUT_MS = 50;
const hangs = () => new Promise<never>(() => {});

function partsWith(lastValues: Partial<Parameters<typeof handOver>[0]['lastValues']>) {
  const cleared: number[] = [];
  const parts = {
    streamer: newLane(istMs('2026-08-18', '11:00')).account,
    sink: { settled: async () => {} },
    lastValues: {
      isCurrent: true,
      flush: async () => {},
      clear: async () => void cleared.push(1),
      ...lastValues,
    },
  };
  return { parts, cleared };
}

describe('handing an account over while Redis hangs', () => {
  it('ends in its time though the last values are never taken', async () => {
    const { parts } = partsWith({ isCurrent: false, flush: hangs });
    await expect(handOver(parts, TIMEOUT_MS)).rejects.toThrow('the last values took longer');
  });

  it('ends in its time though they are never cleared', async () => {
    const { parts } = partsWith({ clear: hangs });
    await expect(handBack(parts, TIMEOUT_MS)).rejects.toThrow('clearing the last values took longer');
  });

  it('clears what shall not stream any more, and only that', async () => {
    const { parts, cleared } = partsWith({});
    await handOver(parts, TIMEOUT_MS);
    expect(cleared).toEqual([]);
    await handBack(parts, TIMEOUT_MS);
    expect(cleared).toEqual([1]);
  });
});
