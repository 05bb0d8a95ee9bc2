import { describe, expect, it } from 'vitest';
import { eachAccount } from '#streamer/control/each-account.ts';

const LONG_MS = 30_000;
const accounts = ['bad', 'good', 'fine'].map((accountId) => ({ accountId }));

describe('a turn over the accounts', () => {
  it('goes on after one that fails, and tells of it by its name every time', async () => {
    const done: string[] = [];
    const turn = eachAccount(
      () => accounts,
      LONG_MS,
      ({ accountId }) => {
        if (accountId === 'bad') throw new Error('no rows');
        done.push(accountId);
      },
    );
    await expect(turn()).rejects.toThrow('account bad: no rows');
    await expect(turn()).rejects.toThrow('account bad: no rows');
    expect(done).toEqual(['good', 'fine', 'good', 'fine']);
  });

  it('does not wait for a slow one, nor begins it twice, and tells of its failure when that comes', async () => {
    const slow = Promise.withResolvers<void>();
    const begun: string[] = [];
    const turn = eachAccount(
      () => accounts,
      10,
      async ({ accountId }) => {
        begun.push(accountId);
        if (accountId === 'bad') await slow.promise;
      },
    );
    await turn();
    await turn();
    expect(begun).toEqual(['bad', 'good', 'fine', 'good', 'fine']);
    slow.reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(turn()).rejects.toThrow('account bad: too late');
    expect(begun.slice(5)).toEqual(['bad', 'good', 'fine']);
  });

  it('tells of one that always fails slowly at every turn, until it succeeds or is given away', async () => {
    const held = new Set(accounts);
    const ends: PromiseWithResolvers<void>[] = [];
    const turn = eachAccount(
      () => held,
      1,
      async ({ accountId }) => {
        if (accountId !== 'bad') return;
        const end = Promise.withResolvers<void>();
        ends.push(end);
        await end.promise;
      },
    );
    await turn();
    ends[0]!.reject(new Error('away'));
    await new Promise((resolve) => setImmediate(resolve));
    for (let turns = 0; turns < 6; turns += 1) await expect(turn()).rejects.toThrow('account bad: away');
    expect(ends).toHaveLength(2);
    ends[1]!.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    await turn();
    ends[2]!.reject(new Error('away again'));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(turn()).rejects.toThrow('away again');
    held.delete(accounts[0]!);
    await turn();
  });

  it('takes the accounts of the moment, none included', async () => {
    const held = new Set(accounts);
    const seen: string[] = [];
    const turn = eachAccount(
      () => held,
      LONG_MS,
      ({ accountId }) => void seen.push(accountId),
    );
    held.clear();
    await turn();
    held.add(accounts[1]!);
    await turn();
    expect(seen).toEqual(['good']);
  });
});
