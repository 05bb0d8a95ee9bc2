import { describe, expect, it } from 'vitest';
import type { Account } from '#shared/accounts/types.ts';
import { ManualClock } from '#shared/clock.ts';
import { LeaseKeeper } from '#streamer/control/leases.ts';
import { MemoryLeases } from '#test/support/memory-sources.ts';

const ACCOUNT: Account = {
  account_id: 'primary',
  user_id: 'SIM001',
  api_key: 'k',
  session_version: 1,
  status: 'active',
  created_at: '2026-08-18T03:30:00.000Z',
};

function setUp() {
  const clock = new ManualClock(1_000_000);
  const store = new MemoryLeases(clock, 10_000);
  const log: string[] = [];
  const keeper = (holder: string) =>
    new LeaseKeeper(
      store,
      clock,
      { holder, safetyMs: 1_000, maxAccounts: 5 },
      {
        onAcquired: (account, lease) => void log.push(`${holder} got ${account.account_id} ${lease}`),
        onLost: async (accountId) => void log.push(`${holder} lost ${accountId}`),
      },
    );
  return { clock, store, log, keeper };
}

describe('the lease keeper', () => {
  it('lets one holder stream an account, and the next one after it fell silent, with a higher number', async () => {
    const { clock, log, keeper } = setUp();
    const [a, b] = [keeper('a'), keeper('b')];
    await a.keep([ACCOUNT]);
    await b.keep([ACCOUNT]);
    expect([a.held('primary'), b.held('primary')]).toEqual([1, undefined]);
    clock.advance(9_000);
    expect(a.held('primary')).toBeUndefined();
    clock.advance(1_000);
    await b.keep([ACCOUNT]);
    expect(b.held('primary')).toBe(2);
    await a.keep([ACCOUNT]);
    expect(log).toEqual(['a got primary 1', 'b got primary 2', 'a lost primary']);
    expect(a.held('primary')).toBeUndefined();
  });

  it('keeps it by renewing, and gives it back so that another takes it at once', async () => {
    const { clock, keeper } = setUp();
    const [a, b] = [keeper('a'), keeper('b')];
    for (let round = 0; round < 10; round += 1) {
      await a.keep([ACCOUNT]);
      clock.advance(3_000);
      await b.keep([ACCOUNT]);
    }
    expect(a.held('primary')).toBe(1);
    await a.releaseAll();
    await b.keep([ACCOUNT]);
    expect(b.held('primary')).toBe(2);
  });

  it('lets an account go that shall not stream any more', async () => {
    const { log, keeper } = setUp();
    const a = keeper('a');
    await a.keep([ACCOUNT]);
    await a.keep([]);
    expect(log.at(-1)).toBe('a lost primary');
    expect(a.held('primary')).toBeUndefined();
  });
});
