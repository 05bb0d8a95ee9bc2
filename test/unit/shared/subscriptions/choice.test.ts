import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccountCandidate, rankAccounts } from '#shared/subscriptions/choice.ts';

const candidates = fc.uniqueArray(
  fc.record<AccountCandidate>({
    account_id: fc.stringMatching(/^[a-z]{1,6}$/),
    hasLiveSession: fc.boolean(),
    reserved: fc.nat(20),
  }),
  { selector: ({ account_id }) => account_id, maxLength: 12 },
);

describe('the choice of an account', () => {
  it('takes the one with most room', () => {
    const all = [
      { account_id: 'full', hasLiveSession: true, reserved: 10 },
      { account_id: 'some', hasLiveSession: true, reserved: 5 },
      { account_id: 'most', hasLiveSession: true, reserved: 2 },
      { account_id: 'dead', hasLiveSession: false, reserved: 0 },
    ];
    expect(rankAccounts(all, 10)).toEqual(['most', 'some']);
  });

  it('answers exactly the accounts with a live session and room, never a worse one first, in any order of asking', () => {
    fc.assert(
      fc.property(candidates, fc.nat(20), (all, capacity) => {
        const ranked = rankAccounts(all, capacity);
        const usable = all.filter(({ hasLiveSession, reserved }) => hasLiveSession && reserved < capacity);
        expect([...ranked].sort()).toEqual(usable.map(({ account_id }) => account_id).sort());
        const reserved = ranked.map((id) => all.find(({ account_id }) => account_id === id)!.reserved);
        expect(reserved).toEqual(reserved.toSorted((a, b) => a - b));
        expect(rankAccounts(all.toReversed(), capacity)).toEqual(ranked);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('spreads instruments that come one after another evenly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 60 }),
        (accounts, instruments) => {
          const reserved = new Map(Array.from({ length: accounts }, (_, n) => [`account-${n}`, 0]));
          for (let n = 0; n < instruments; n += 1) {
            const all = [...reserved].map(([account_id, count]) => ({
              account_id,
              hasLiveSession: true,
              reserved: count,
            }));
            const [best] = rankAccounts(all, 10);
            if (best !== undefined) reserved.set(best, reserved.get(best)! + 1);
          }
          const counts = [...reserved.values()];
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          expect(counts.reduce((a, b) => a + b)).toBe(Math.min(instruments, accounts * 10));
        },
      ),
      { seed: 6 },
    );
  });
});
