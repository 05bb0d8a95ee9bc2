import { describe, expect, it } from 'vitest';
import { LeaseFleet } from './lease-fleet.ts';

const ACCOUNTS = ['p', 'q', 'r', 's'];
const TEN_MINUTES_MS = 600_000;
/** For the lease's time, a look and a step of the fleet. */
const LEFT_LYING_MS = 12_000;

describe('a streamer that lives and cannot take accounts', () => {
  it('gets none while it has never read which there are, and its even part once it can', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    const b = fleet.join('b');
    b.isIndexAway = true;
    const darkMs = await fleet.pass(60_000);
    expect([...darkMs.values()]).toEqual([0, 0, 0, 0]);
    expect(a.accounts()).toEqual(ACCOUNTS);
    expect(b.failure?.message).toBe('the index is away');
    expect((await fleet.store.readBoard()).members.map(({ holder }) => holder)).toEqual(['a']);
    b.isIndexAway = false;
    await fleet.pass(3_000);
    expect([a.accounts().length, b.accounts().length]).toEqual([2, 2]);
  });

  it('keeps what it has when the list fails later, and gets nothing new meanwhile', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    const before = b.accounts();
    b.isIndexAway = true;
    await fleet.pass(15_000);
    for (const id of ['t', 'u', 'v']) fleet.accounts.add(id);
    const darkMs = await fleet.pass(60_000);
    expect(b.accounts()).toEqual(before);
    expect(a.accounts()).toHaveLength(5);
    expect(Math.max(...darkMs.values())).toBeLessThanOrEqual(1_000);
    b.isIndexAway = false;
    await fleet.pass(5_000);
    expect([a.accounts().length, b.accounts().length].sort()).toEqual([3, 4]);
  });

  it('is relieved of what it lets lie, is not given it again at once, and has its part when it can', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    const b = fleet.join('b');
    b.cannotTake = true;
    await fleet.pass(1_000);
    expect(b.failure?.message).toBe('denied');
    const darkMs = await fleet.pass(TEN_MINUTES_MS);
    // Given at 0, 32, 84, 176, 348 and 680 s: each time twice as long after it was taken back.
    expect(a.log.filter((entry) => entry === 'gave s, moved').length).toBeLessThanOrEqual(5);
    expect(fleet.moves).toBe(2 * a.log.filter((entry) => entry === 'gave s, moved').length);
    expect([...darkMs.values()].map((ms) => ms > 0)).toEqual([false, false, true, true]);
    expect(Math.max(...darkMs.values())).toBeLessThanOrEqual(5 * LEFT_LYING_MS);
    b.cannotTake = false;
    await fleet.pass(2 * TEN_MINUTES_MS);
    expect([a.accounts().length, b.accounts().length]).toEqual([2, 2]);
    expect(fleet.dark).toEqual([]);
  });

  it('keeps nobody from an account that is new', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    fleet.join('b').cannotTake = true;
    await fleet.pass(3_000);
    fleet.accounts.add('q');
    await fleet.pass(LEFT_LYING_MS + 1_000);
    expect(a.accounts()).toEqual(['p', 'q']);
  });

  it('does not make others take more than they may', async () => {
    const fleet = new LeaseFleet(ACCOUNTS, { maxAccounts: 2 });
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    b.cannotTake = true;
    await fleet.pass(60_000);
    expect([a.accounts().length, b.accounts().length]).toEqual([2, 0]);
  });

  it('that takes one later than the others’ patience finds it held, and it stays there for a while', async () => {
    const fleet = new LeaseFleet(['p', 'q']);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    const b = fleet.join('b');
    b.cannotTake = true;
    await fleet.pass(15_000);
    expect(a.accounts()).toEqual(['p', 'q']);
    b.cannotTake = false;
    const { moves } = fleet;
    await fleet.pass(10_000);
    expect(fleet.moves).toBe(moves);
    await fleet.pass(15_000);
    expect([fleet.moves - moves, a.accounts().length, b.accounts().length]).toEqual([1, 1, 1]);
  });
});

describe('while the list of accounts cannot be read by anybody', () => {
  it('a dead streamer’s accounts are taken all the same, and the looks fail visibly', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const [a, b, c] = [fleet.join('a'), fleet.join('b'), fleet.join('c')];
    await fleet.pass(5_000);
    for (const member of [a, b, c]) member.isIndexAway = true;
    a.kill();
    await fleet.pass(14_000);
    expect(fleet.dark).toEqual([]);
    expect(b.failure?.message).toBe('the index is away');
  });

  it('nothing is given away, nothing ends, and afterwards no more moves than must', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const members = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    const before = members.map((member) => member.accounts());
    const { moves } = fleet;
    for (const member of members) member.isIndexAway = true;
    await fleet.pass(1_000);
    fleet.accounts.delete('p');
    const late = fleet.join('c');
    late.isIndexAway = true;
    const darkMs = await fleet.pass(60_000);
    fleet.accounts.add('p');
    expect(members.map((member) => member.accounts())).toEqual(before);
    expect(Math.max(...darkMs.values())).toBe(0);
    for (const member of [...members, late]) member.isIndexAway = false;
    await fleet.pass(15_000);
    expect(fleet.moves - moves).toBe(1);
    expect(fleet.dark).toEqual([]);
  });

  it('one that is asked and does not answer blinds nobody', async () => {
    const fleet = new LeaseFleet(['p', 'q'], { ttlMs: 400, renewMs: 100, safetyMs: 50 });
    const [a, b] = [fleet.join('a'), fleet.join('b')];
    await fleet.pass(5_000);
    for (const member of [a, b]) member.readWanted = () => new Promise(() => {});
    a.kill();
    for (let round = 0; round < 8; round += 1) {
      fleet.clock.advance(100);
      await b.keeper.renewAll();
      await b.keeper.divide(() => b.readWanted()).catch(() => {});
    }
    expect(b.accounts()).toEqual(['p', 'q']);
  });
});

describe('an account that one version cannot read', () => {
  it('stays with its holder and does not end; the others are divided without it', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    a.unreadable.add('s');
    await fleet.pass(5_000);
    expect(a.accounts()).toEqual(ACCOUNTS);
    const b = fleet.join('b');
    b.unreadable.add('s');
    await fleet.pass(30_000);
    expect(a.accounts()).toContain('s');
    expect(a.log.filter((entry) => entry.startsWith('gave s'))).toEqual([]);
    expect([a.accounts(), b.accounts()]).toEqual([['p', 'q', 's'], ['r']]);
  });

  it('is not given again and again to one that cannot read it', async () => {
    const fleet = new LeaseFleet(ACCOUNTS);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    const b = fleet.join('b');
    b.unreadable.add('s');
    const darkMs = await fleet.pass(TEN_MINUTES_MS);
    expect(b.accounts()).toEqual(['r']);
    expect(a.log.filter((entry) => entry === 'gave s, moved').length).toBeLessThanOrEqual(5);
    expect([...darkMs].filter(([, ms]) => ms > 1_000).map(([id]) => id)).toEqual(['s']);
  });
});

describe('an account that does not begin', () => {
  it('is given back and begun again later, under a new number', async () => {
    const fleet = new LeaseFleet(['p', 'q']);
    const a = fleet.join('a');
    a.failingBegins = 1;
    await fleet.pass(2_000);
    expect(a.accounts()).toEqual(['q']);
    expect(a.log).toContain('lost p');
    expect((await fleet.store.readBoard()).leases.find(({ accountId }) => accountId === 'p')?.holder).toBe(
      undefined,
    );
    await fleet.pass(20_000);
    expect(a.log.at(-1)).toBe('got p 2');
    expect(a.accounts()).toEqual(['p', 'q']);
  });

  it('is taken by another one where it does', async () => {
    const fleet = new LeaseFleet(['p', 'q', 'r']);
    const a = fleet.join('a');
    await fleet.pass(5_000);
    const b = fleet.join('b');
    b.failingBegins = Number.POSITIVE_INFINITY;
    await fleet.pass(15_000);
    expect(a.accounts()).toEqual(['p', 'q', 'r']);
    const darkMs = await fleet.pass(TEN_MINUTES_MS);
    expect(Math.max(...darkMs.values())).toBeLessThanOrEqual(5 * LEFT_LYING_MS);
  });
});

describe('a taking whose answer comes when a later turn has taken, streamed and given back', () => {
  it('does not begin the same number again', async () => {
    const fleet = new LeaseFleet(['p']);
    const a = fleet.join('a');
    const acquire = fleet.store.acquire.bind(fleet.store);
    const release = fleet.store.release.bind(fleet.store);
    const late = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<void>();
    fleet.store.acquire = async (...taking) => {
      fleet.store.acquire = acquire;
      await late.promise;
      return acquire(...taking);
    };
    const hanging = a.keeper.divide(() => a.readWanted());
    while (fleet.store.acquire !== acquire) await Promise.resolve();
    await a.keeper.divide(() => a.readWanted());
    expect(a.log).toEqual(['got p 1']);
    fleet.store.release = async (...giving) => {
      await slow.promise;
      return release(...giving);
    };
    fleet.accounts.delete('p');
    const ending = a.keeper.divide(() => a.readWanted());
    while (a.log.length < 2) await Promise.resolve();
    late.resolve();
    await hanging;
    slow.resolve();
    await ending;
    expect(a.log).toEqual(['got p 1', 'gave p, unwanted']);
  });
});

it('a table and a Redis that both begin anew do not make a process use its numbers twice', async () => {
  const fleet = new LeaseFleet(['p']);
  fleet.fences.set('p', 57);
  const a = fleet.join('a');
  await fleet.pass(1_000);
  expect(a.keeper.held('p')).toBe(58);
  fleet.store.forget();
  fleet.fences.clear();
  await fleet.pass(5_000);
  expect(a.keeper.held('p')).toBe(59);
  expect(a.log).toEqual(['got p 58', 'lost p', 'got p 59']);
});
