import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divide } from '#streamer/control/division.ts';

const SEED = 20_260_818;
const member = (holder: string, maxAccounts = 1_000) => ({ holder, maxAccounts });
const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`);

function counts(division: ReadonlyMap<string, string>, holders: readonly string[]): number[] {
  return holders.map((holder) => [...division.values()].filter((each) => each === holder).length);
}

const pictures = fc
  .record({
    accounts: fc.nat(40),
    members: fc.integer({ min: 1, max: 6 }),
    seed: fc.array(fc.nat(7), { minLength: 40, maxLength: 40 }),
  })
  .map(({ accounts, members, seed }) => {
    const accountIds = names('a', accounts);
    // Holders 6 and 7 are not among the living; 7 stands for none.
    const holders = new Map(
      accountIds.flatMap((id, index) => (seed[index] === 7 ? [] : [[id, `s00${seed[index]}`] as const])),
    );
    return { accountIds, holders, living: names('s', members) };
  });

describe('the division of accounts', () => {
  it('is even, whole, and the same for everybody who sees the same', () => {
    fc.assert(
      fc.property(
        pictures,
        fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
        ({ accountIds, holders, living }, order) => {
          const division = divide(
            accountIds,
            living.map((each) => member(each)),
            holders,
          );
          const shuffled = living
            .map((each, index) => [order[index]!, each] as const)
            .sort(([a], [b]) => a - b);
          const again = divide(
            accountIds.toReversed(),
            shuffled.map(([, each]) => member(each)),
            holders,
          );
          expect([...again].sort()).toEqual([...division].sort());
          const numbers = counts(division, living);
          expect(division.size).toBe(accountIds.length);
          expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
        },
      ),
      { seed: SEED },
    );
  });

  it('takes no more accounts away than any even division must', () => {
    fc.assert(
      fc.property(pictures, ({ accountIds, holders, living }) => {
        const division = divide(
          accountIds,
          living.map((each) => member(each)),
          holders,
        );
        const held = living.map((holder) => accountIds.filter((id) => holders.get(id) === holder).length);
        const taken = accountIds.filter((id) => {
          const holder = holders.get(id);
          return holder !== undefined && living.includes(holder) && division.get(id) !== holder;
        }).length;
        const floor = Math.floor(accountIds.length / living.length);
        let extra = accountIds.length % living.length;
        let needed = 0;
        for (const number of held.toSorted((a, b) => b - a)) {
          const may = number > floor && extra > 0 ? floor + 1 : floor;
          if (may > floor) extra -= 1;
          needed += Math.max(0, number - may);
        }
        expect(taken).toBe(needed);
      }),
      { seed: SEED },
    );
  });

  it('leaves an even division as it is', () => {
    const holders = new Map([
      ['a1', 's1'],
      ['a2', 's2'],
      ['a3', 's2'],
    ]);
    expect(divide(['a1', 'a2', 'a3'], [member('s1'), member('s2')], holders)).toEqual(holders);
  });

  it('keeps to everybody’s limit, and leaves out what nobody has room for', () => {
    const division = divide(names('a', 10), [member('s1', 2), member('s2', 5)], new Map());
    expect(counts(division, ['s1', 's2'])).toEqual([2, 5]);
    expect(divide(names('a', 3), [], new Map()).size).toBe(0);
  });
});
