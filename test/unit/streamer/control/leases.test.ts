import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseFleet } from './lease-fleet.ts';

describe('the lease keeper', () => {
  it('takes what is free at once, and shares evenly with one that comes', async () => {
    const fleet = new LeaseFleet(['p', 'q', 'r']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    expect(a.accounts()).toEqual(['p', 'q', 'r']);
    const b = fleet.join('b');
    await fleet.pass(3_000);
    expect([a.accounts().length, b.accounts().length].sort()).toEqual([1, 2]);
    expect(fleet.moves).toBe(1);
    expect(a.log.at(-1)).toBe('gave r, moved');
  });

  it('lets a dead one’s accounts be taken after the time of a lease, with higher numbers', async () => {
    const fleet = new LeaseFleet(['p', 'q']);
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    const before = new Map(a.accounts().map((id) => [id, a.keeper.held(id)!]));
    a.kill();
    await fleet.pass(9_000);
    expect(b.accounts()).toHaveLength(1);
    await fleet.pass(3_000);
    expect(b.accounts()).toEqual(['p', 'q']);
    for (const [id, lease] of before) expect(b.keeper.held(id)).toBe(lease + 1);
  });

  it('that was frozen holds nothing safely when it wakes, and learns that its accounts are gone', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    const b = fleet.join('b');
    a.freeze();
    await fleet.pass(14_000);
    expect(b.accounts()).toEqual(['p']);
    expect(a.keeper.held('p')).toBeUndefined();
    expect(a.keeper.doubtful).toEqual(['p']);
    a.wake();
    await a.keeper.renewAll();
    expect(a.log.at(-1)).toBe('lost p');
    expect(a.keeper.doubtful).toEqual([]);
  });

  it('that was frozen and missed by nobody goes on under its number', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    a.freeze();
    await fleet.pass(60_000);
    expect(a.keeper.held('p')).toBeUndefined();
    a.wake();
    await a.keeper.renewAll();
    expect(a.keeper.held('p')).toBe(1);
    expect(a.log).toEqual(['got p 1']);
  });

  it.each([3_600_000, -3_600_000])('a time of day that jumps by %i ms moves nothing', async (jumpMs) => {
    const fleet = new LeaseFleet(['p', 'q']);
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    const before = [a.accounts(), b.accounts()];
    fleet.clock.jump(jumpMs);
    // Nobody knows what happened, so it is asked before anything more is published.
    expect(a.keeper.doubtful).toEqual(jumpMs > 0 ? before[0] : []);
    await Promise.all([a.keeper.renewAll(), b.keeper.renewAll()]);
    expect([a.accounts(), b.accounts()]).toEqual(before);
    await fleet.pass(30_000);
    expect([a.accounts(), b.accounts()]).toEqual(before);
  });

  it('a machine that was suspended, its steady clock with it, holds nothing safely', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    fleet.clock.jump(9_000);
    expect(a.keeper.held('p')).toBeUndefined();
  });

  it('gives everything away when it leaves, each account in order before its lease', async () => {
    const fleet = new LeaseFleet(['p', 'q']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    await a.leave();
    expect(a.log).toEqual(['got p 1', 'got q 1', 'gave p, moved', 'gave q, moved']);
    const b = fleet.join('b');
    await fleet.pass(0);
    expect(b.accounts()).toEqual(['p', 'q']);
    await expect(fleet.store.readBoard()).resolves.toMatchObject({ members: [{ holder: 'b' }] });
  });

  it('never begins the same lease twice: its numbers are used up, though its giving back failed', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    const release = fleet.store.release.bind(fleet.store);
    fleet.store.release = async () => {
      throw new Error('not now');
    };
    fleet.accounts.delete('p');
    await fleet.pass(1_000);
    fleet.accounts.add('p');
    await fleet.pass(1_000);
    fleet.store.release = release;
    await fleet.pass(3_000);
    expect(a.log).toEqual(['got p 1', 'gave p, unwanted', 'got p 2']);
  });

  it('gives away what shall not stream any more, and lets the others be', async () => {
    const fleet = new LeaseFleet(['p', 'q']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    fleet.accounts.delete('p');
    await fleet.pass(1_000);
    expect(a.log.slice(2)).toEqual(['gave p, unwanted']);
    expect(a.accounts()).toEqual(['q']);
  });
});

describe('while the table is away', () => {
  it('nothing moves, for as long as it takes and when it is back', async () => {
    const fleet = new LeaseFleet(['p', 'q', 'r']);
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    const before = [a.accounts(), b.accounts()];
    fleet.isTableAway = true;
    await fleet.pass(300_000);
    expect([a.accounts(), b.accounts()]).toEqual(before);
    fleet.isTableAway = false;
    await fleet.pass(30_000);
    expect([a.accounts(), b.accounts()]).toEqual(before);
    expect(fleet.moves).toBe(0);
  });

  it('for one streamer alone, the other takes over, and Redis tells the first one', async () => {
    const fleet = new LeaseFleet(['p', 'q']);
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    a.isCutOff = true;
    await fleet.pass(14_000);
    expect([a.accounts(), b.accounts()]).toEqual([[], ['p', 'q']]);
    expect(a.log.at(-1)).toMatch(/^lost/);
  });

  it('a renewal that hangs is not waited for, and the others are renewed beside it', async () => {
    const fleet = new LeaseFleet(['p', 'q'], { renewMs: 30 });
    const a = fleet.join('a');
    await fleet.pass(1_000);
    fleet.hanging.add('p');
    fleet.clock.advance(8_000);
    await expect(a.keeper.renewAll()).rejects.toThrow('took longer');
    expect(a.accounts()).toEqual(['p', 'q']);
    // Redis knows nothing of it either: then only what the table confirms is held.
    fleet.fences.clear();
    fleet.clock.advance(9_000);
    await expect(a.keeper.renewAll()).rejects.toThrow('took longer');
    expect(a.accounts()).toEqual(['q']);
  });

  it('who slept through it does not go by a Redis that forgot', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    a.freeze();
    fleet.isTableAway = true;
    fleet.fences.clear();
    await fleet.pass(60_000);
    a.wake();
    await expect(a.keeper.renewAll()).rejects.toThrow('the table is away');
    expect(a.keeper.held('p')).toBeUndefined();
    fleet.isTableAway = false;
    await a.keeper.renewAll();
    expect(a.keeper.held('p')).toBe(1);
  });
});

describe('answers that are lost', () => {
  it('a lease taken without hearing so is found on the board, and one given back twice does no harm', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    fleet.loseAnswers = 1;
    await fleet.pass(0);
    expect(a.log).toEqual([]);
    await fleet.pass(1_000);
    expect(a.log).toEqual(['got p 1']);
    fleet.loseAnswers = 1;
    await a.leave().catch(() => {});
    const b = fleet.join('b');
    await fleet.pass(1_000);
    expect(b.accounts()).toEqual(['p']);
  });

  it('a table younger than Redis gets numbers above those that readers know', async () => {
    const fleet = new LeaseFleet(['p']);
    fleet.fences.set('p', 57);
    const a = fleet.join('a');
    await fleet.pass(1_000);
    expect(a.keeper.held('p')).toBe(58);
    fleet.fences.set('p', 90);
    await fleet.pass(5_000);
    expect(a.keeper.held('p')).toBe(91);
  });
});

type Happening =
  | { readonly kind: 'join' | 'leave' | 'kill' | 'add' | 'remove'; readonly which: number }
  | { readonly kind: 'pass'; readonly which: number };

const happenings = fc.array(
  fc.record({
    kind: fc.constantFrom('join', 'leave', 'kill', 'add', 'remove', 'pass') as fc.Arbitrary<
      Happening['kind']
    >,
    which: fc.nat(1_000),
  }),
  { minLength: 1, maxLength: 14 },
);

/** Accounts that the living must give to each other until everybody has its even part. */
function movesNeeded(fleet: LeaseFleet): number {
  const held = fleet.running.map((member) => member.accounts().length).sort((a, b) => b - a);
  const floor = Math.floor(fleet.accounts.size / held.length);
  const extra = fleet.accounts.size % held.length;
  return held.reduce((sum, count, index) => sum + Math.max(0, count - floor - (index < extra ? 1 : 0)), 0);
}

async function happen(fleet: LeaseFleet, { kind, which }: Happening, index: number): Promise<void> {
  const one = fleet.running[which % Math.max(1, fleet.running.length)];
  if (kind === 'join') fleet.join(`s${index}`);
  else if (kind === 'add') fleet.accounts.add(`a${index}`);
  else if (kind === 'remove') fleet.accounts.delete([...fleet.accounts][which % fleet.accounts.size] ?? '');
  else if (kind === 'leave' && fleet.running.length > 1) await one?.leave();
  else if (kind === 'kill' && fleet.running.length > 1) one?.kill();
}

describe('whoever joins, leaves or dies, and whatever accounts come and go', () => {
  it('every account ends with exactly one holder, evenly, and no more move than must', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (all) => {
        const fleet = new LeaseFleet(['a', 'b', 'c', 'd', 'e']);
        fleet.join('first');
        for (const [index, happening] of all.entries()) {
          await fleet.pass(13_000);
          const { moves } = fleet;
          await happen(fleet, happening, index);
          const given = fleet.moves - moves;
          const needed = movesNeeded(fleet);
          await fleet.pass(13_000);
          expect(fleet.moves - moves - given).toBe(needed);
          const counts = fleet.running.map((member) => member.accounts().length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          for (const accountId of fleet.accounts) expect(fleet.holdersOf(accountId)).toHaveLength(1);
        }
      }),
      { seed: 20_260_818, numRuns: 60 },
    );
  });

  it('all at once, still never two hold one, and in the end each has one', async () => {
    await fc.assert(
      fc.asyncProperty(
        happenings,
        fc.array(fc.nat(12), { minLength: 14, maxLength: 14 }),
        async (all, pauses) => {
          const fleet = new LeaseFleet(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
          fleet.join('first');
          for (const [index, happening] of all.entries()) {
            await happen(fleet, happening, index);
            const frozen = fleet.running[pauses[index]! % fleet.running.length];
            if (pauses[index]! > 6) frozen?.freeze();
            await fleet.pass(pauses[index]! * 1_000);
            for (const accountId of fleet.accounts)
              expect(fleet.holdersOf(accountId).length).toBeLessThanOrEqual(1);
            frozen?.wake();
          }
          await fleet.pass(40_000);
          for (const accountId of fleet.accounts) expect(fleet.holdersOf(accountId)).toHaveLength(1);
        },
      ),
      { seed: 20_260_818, numRuns: 60 },
    );
  });
});
