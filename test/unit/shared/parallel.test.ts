import { describe, expect, it } from 'vitest';
import { inParallel, tryAll } from '#shared/parallel.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('parallel work', () => {
  it('does everything once and never more than the limit at a time', async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await inParallel(
      3,
      Array.from({ length: 20 }, (_, n) => n),
      async (n) => {
        running += 1;
        most = Math.max(most, running);
        await turn();
        running -= 1;
        done.push(n);
      },
    );
    expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(most).toBe(3);
  });

  it('throws the first failure and begins nothing after it', async () => {
    const begun: number[] = [];
    const work = inParallel(2, [1, 2, 3, 4, 5, 6], async (n) => {
      begun.push(n);
      await turn();
      if (n === 2) throw new Error('two');
      await turn();
    });
    await expect(work).rejects.toThrow('two');
    await turn();
    await turn();
    expect(begun).toEqual([1, 2]);
  });

  it('that shall all be tried goes on after a failure, and throws the first one at the end', async () => {
    const begun: number[] = [];
    const work = tryAll(2, [1, 2, 3, 4, 5, 6], async (n) => {
      begun.push(n);
      await turn();
      if (n === 2 || n === 5) throw new Error(`not ${n}`);
    });
    await expect(work).rejects.toThrow('not 2');
    expect(begun).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('of nothing is done at once', async () => {
    await inParallel(4, [], async () => {
      throw new Error('never');
    });
  });
});
