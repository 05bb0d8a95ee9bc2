import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { Authenticator } from '#shared/http/authenticate.ts';
import { KnownKeys } from './invoke.ts';

const headers = { 'x-api-key': 'k1' };
let clock: ManualClock;
let keys: KnownKeys;
let authenticator: Authenticator;
beforeEach(() => {
  clock = new ManualClock(1_000_000);
  keys = new KnownKeys();
  keys.add('k1', ['read']);
  authenticator = new Authenticator(keys, clock);
});

describe('the memory for keys', () => {
  it('spares the table for 60 s, not longer', async () => {
    await authenticator.principalOf(headers);
    clock.advance(59_999);
    await authenticator.principalOf(headers);
    expect(keys.looked).toBe(1);
    clock.advance(1);
    await authenticator.principalOf(headers);
    expect(keys.looked).toBe(2);
  });

  it('lets a disabled key in for at most 60 s', async () => {
    await authenticator.principalOf(headers);
    keys.add('k1', ['read'], { disabled: true });
    clock.advance(60_000);
    await expect(authenticator.principalOf(headers)).rejects.toMatchObject({ status: 401 });
  });

  it('never holds a bad key: one made a moment later works at once', async () => {
    const other = { 'x-api-key': 'k2' };
    await expect(authenticator.principalOf(other)).rejects.toMatchObject({ status: 401 });
    keys.add('k2', ['read']);
    expect(await authenticator.principalOf(other)).toMatchObject({ owner: 'team-k2' });
  });

  it('is bounded: the oldest of more than 1,000 is looked up again', async () => {
    for (let n = 0; n <= 1_000; n += 1) {
      keys.add(`n${n}`, ['read']);
      await authenticator.principalOf({ 'x-api-key': `n${n}` });
    }
    const looked = keys.looked;
    await authenticator.principalOf({ 'x-api-key': 'n1000' });
    expect(keys.looked).toBe(looked);
    await authenticator.principalOf({ 'x-api-key': 'n0' });
    expect(keys.looked).toBe(looked + 1);
  });

  it('does not bother the table with a key that no one of ours could be', async () => {
    const long = { 'x-api-key': 'x'.repeat(10_000) };
    await expect(authenticator.principalOf(long)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(keys.looked).toBe(0);
  });
});
