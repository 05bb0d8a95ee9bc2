import { describe, expect, it } from 'vitest';
import type { BrokerSession } from '#shared/accounts/types.ts';
import { SessionKeeper } from '#streamer/feed/session-keeper.ts';

function setUp() {
  const stored = { reads: 0, version: 1 };
  const keeper = new SessionKeeper(async (): Promise<BrokerSession> => {
    stored.reads += 1;
    return { api_key: 'k', access_token: `token-${stored.version}`, session_version: stored.version };
  });
  return { stored, keeper };
}

describe('the session of an account at its connections', () => {
  it('is read once for all of them', async () => {
    const { stored, keeper } = setUp();
    await keeper.current();
    expect(await keeper.current()).toMatchObject({ access_token: 'token-1' });
    expect(stored.reads).toBe(1);
  });

  it('is read again when it was refused or a newer one is announced', async () => {
    const { stored, keeper } = setUp();
    await keeper.current();
    keeper.refused(1);
    await keeper.current();
    stored.version = 2;
    expect(keeper.announced(2)).toBe(true);
    expect(await keeper.current()).toMatchObject({ session_version: 2 });
    expect(keeper.announced(2)).toBe(false);
    expect(stored.reads).toBe(3);
  });

  it('that is known is used while the store does not answer, and asked for again', async () => {
    let isAway = false;
    const keeper = new SessionKeeper(async (): Promise<BrokerSession> => {
      if (isAway) throw new Error('away');
      return { api_key: 'k', access_token: 't', session_version: 1 };
    });
    isAway = true;
    await expect(keeper.current()).rejects.toThrow('away');
    isAway = false;
    await keeper.current();
    keeper.refused(1);
    isAway = true;
    expect(await keeper.current()).toMatchObject({ session_version: 1 });
    expect(keeper.announced(2)).toBe(true);
  });

  it('that is announced and cannot be read is news once, and asked for until it is there', async () => {
    const { stored, keeper } = setUp();
    await keeper.current();
    expect([keeper.announced(3), keeper.announced(3), keeper.announced(2)]).toEqual([true, false, false]);
    // Not there yet.
    stored.version = 2;
    expect(await keeper.current()).toMatchObject({ session_version: 2 });
    expect(keeper.announced(3)).toBe(false);
    stored.version = 3;
    expect(await keeper.current()).toMatchObject({ session_version: 3 });
    expect(stored.reads).toBe(3);
    expect(keeper.announced(4)).toBe(true);
  });

  it('dies once a version, and once more only if it was taken in between', async () => {
    const { keeper } = setUp();
    await keeper.current();
    expect(keeper.refused(1)).toBe(true);
    expect(keeper.refused(1)).toBe(false);
    keeper.taken(1);
    expect(keeper.refused(1)).toBe(true);
    expect(keeper.refused(2)).toBe(true);
    expect(keeper.refused(1)).toBe(false);
  });
});
