import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conflict, lost, refused, SubscriptionDesk } from './subscription-desk.ts';

const CAPACITY = 8;
let desk: SubscriptionDesk;
beforeEach(async () => {
  desk = await SubscriptionDesk.open(CAPACITY, ['one', 'two']);
});
afterEach(() => desk?.close());

const times = <T>(count: number, work: (n: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: count }, (_, n) => work(n)));

describe('capacity', () => {
  it('is never exceeded, however many ask at once, and every account is used to its end', async () => {
    const results = await times(24, (n) => desk.subscribe('desk', n + 1));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(24 - 2 * CAPACITY);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'no_account_available' });
    for (const account of ['one', 'two']) {
      expect(await desk.reserved(account)).toBe(CAPACITY);
      expect(await desk.tokensOf(account)).toHaveLength(CAPACITY);
    }
  });

  it('is given back when the last claim ends', async () => {
    await desk.subscribe('desk', 1, 'full', 'one');
    await desk.unsubscribe('desk', 1);
    expect(await desk.reserved('one')).toBe(0);
    expect(await desk.tokensOf('one')).toEqual([]);
  });

  it('goes to the account with most room', async () => {
    for (const token of [1, 2, 3]) await desk.subscribe('desk', token, 'full', 'one');
    const { record } = await desk.subscribe('desk', 4);
    expect(record.account_id).toBe('two');
  });

  it('of an account without a live session is not used', async () => {
    const fresh = await SubscriptionDesk.open(CAPACITY, []);
    try {
      await fresh.accounts.create('dead', { api_key: 'k', api_secret: 's', user_id: 'U' });
      await expect(fresh.subscribe('desk', 1)).rejects.toMatchObject({
        code: 'no_account_available',
        message: 'none of 1 accounts has a live broker session',
      });
    } finally {
      await fresh.close();
    }
  });

  it.each([
    ['that there is not', 'nowhere', 'account_not_found'],
    ['that is full', 'one', 'account_full'],
  ])('of an account %s is refused by name', async (_name, account, code) => {
    await times(CAPACITY, (n) => desk.subscribe('desk', n + 1, 'full', 'one'));
    await expect(desk.subscribe('desk', 99, 'full', account)).rejects.toMatchObject({ code });
    expect(await desk.reserved('one')).toBe(CAPACITY);
  });
});

describe('one instrument', () => {
  it('that many claim at once is subscribed once, in the highest mode, and takes one place', async () => {
    const modes = ['ltp', 'quote', 'full'] as const;
    const results = await times(20, (n) => desk.subscribe(`owner-${n}`, 7, modes[n % 3]!));
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'fulfilled'));
    const loaded = await desk.repository.load(7);
    expect(loaded?.claims).toHaveLength(20);
    expect(loaded?.record).toMatchObject({ status: 'active', mode: 'full' });
    expect((await desk.reserved('one')) + (await desk.reserved('two'))).toBe(1);
    const [row] = await desk.repository.getForAccount(loaded!.record.account_id, [7]);
    expect(row).toMatchObject({ mode: 'full', version: loaded!.record.version });
  });

  it('that many claim and leave at once ends as its claims say', async () => {
    await times(10, (n) => desk.subscribe(`owner-${n}`, 7, 'ltp'));
    await times(20, (n) =>
      n < 10 ? desk.unsubscribe(`owner-${n}`, 7) : desk.subscribe(`owner-${n}`, 7, 'quote'),
    );
    const loaded = await desk.repository.load(7);
    expect(loaded?.claims.map(({ owner }) => owner).sort()).toEqual(
      Array.from({ length: 10 }, (_, n) => `owner-${n + 10}`),
    );
    expect(loaded?.record).toMatchObject({ status: 'active', mode: 'quote' });
    await times(10, (n) => desk.unsubscribe(`owner-${n + 10}`, 7));
    expect((await desk.repository.load(7))?.record.status).toBe('removed');
    expect(await desk.tokensOf('one')).toEqual([]);
    expect(await desk.tokensOf('two')).toEqual([]);
    expect((await desk.reserved('one')) + (await desk.reserved('two'))).toBe(0);
  });

  it('keeps counting its versions when it was removed and comes back', async () => {
    expect((await desk.subscribe('desk', 7)).record.version).toBe(1);
    expect((await desk.unsubscribe('desk', 7)).record.version).toBe(2);
    expect((await desk.subscribe('desk', 7)).record.version).toBe(3);
  });

  it('raises the dirty mark of its account by every change that the streamer must see, and by no other', async () => {
    await desk.subscribe('a', 7, 'full', 'one');
    expect(await desk.repository.dirtyMark('one')).toBe(1);
    await desk.subscribe('b', 7, 'ltp');
    expect(await desk.repository.dirtyMark('one')).toBe(1);
    await desk.unsubscribe('a', 7);
    expect(await desk.repository.dirtyMark('one')).toBe(2);
    await desk.unsubscribe('b', 7);
    expect(await desk.repository.dirtyMark('one')).toBe(3);
    expect(await desk.repository.dirtyMark('two')).toBe(0);
  });

  it('that streams on one account is not wanted on another', async () => {
    await desk.subscribe('a', 7, 'full', 'one');
    await expect(desk.subscribe('b', 7, 'full', 'two')).rejects.toMatchObject({
      code: 'subscribed_elsewhere',
    });
    expect(await desk.reserved('two')).toBe(0);
  });

  it('of nobody cannot be left', async () => {
    await expect(desk.unsubscribe('a', 7)).rejects.toMatchObject({ code: 'not_claimed' });
    await desk.subscribe('b', 7);
    await expect(desk.unsubscribe('a', 7)).rejects.toMatchObject({ code: 'not_claimed' });
  });
});

describe('the list', () => {
  it('is read page by page without holes or doubles', async () => {
    await times(2 * CAPACITY, (n) => desk.subscribe('desk', n + 1));
    const seen: number[] = [];
    let next: Parameters<typeof desk.repository.listActive>[2];
    do {
      const page = await desk.repository.listActive(
        3,
        ({ instrument_token }) => instrument_token % 2 === 0,
        next,
      );
      expect(page.records.length).toBeLessThanOrEqual(3);
      seen.push(...page.records.map(({ instrument_token }) => instrument_token));
      next = page.next;
    } while (next !== undefined);
    expect(seen.toSorted((a, b) => a - b)).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  });

  it('for an account answers only the tokens asked for that still stream', async () => {
    await desk.subscribe('desk', 1, 'full', 'one');
    await desk.subscribe('desk', 2, 'full', 'one');
    await desk.unsubscribe('desk', 2);
    const rows = await desk.repository.getForAccount('one', [1, 2, 3, 1]);
    expect(rows.map(({ instrument_token }) => instrument_token)).toEqual([1]);
  });
});

describe('a write', () => {
  it('that others keep from happening is tried again', async () => {
    const conflicts = desk.onWrite({ times: 3, before: conflict });
    expect(await desk.subscribe('desk', 7, 'full', 'one')).toMatchObject({ isNew: true });
    expect(conflicts.left).toBe(0);
    expect(await desk.reserved('one')).toBe(1);
    expect(await desk.tokensOf('one')).toEqual([7]);
  });

  it('whose answer is lost is found to have happened', async () => {
    desk.onWrite({ times: 1, after: lost });
    expect(await desk.subscribe('desk', 7, 'full', 'one')).toMatchObject({ isNew: true });
    expect(await desk.reserved('one')).toBe(1);
    desk.onWrite({ times: 1, after: lost });
    await desk.unsubscribe('desk', 7);
    expect(await desk.reserved('one')).toBe(0);
  });

  it('that was certainly refused gives its place back', async () => {
    desk.onWrite({ times: 1, before: refused });
    await expect(desk.subscribe('desk', 7, 'full', 'one')).rejects.toThrow('not like this');
    expect(await desk.reserved('one')).toBe(0);
    expect(await desk.repository.load(7)).toBeUndefined();
  });

  it('that may still happen keeps its place: no account is ever promised too much', async () => {
    desk.onWrite({ times: 1, before: lost });
    await expect(desk.subscribe('desk', 7, 'full', 'one')).rejects.toThrow('socket hang up');
    expect(await desk.reserved('one')).toBe(1);
  });

  it('that never succeeds for others ends as busy, with nothing kept', async () => {
    desk.onWrite({ times: 1_000, before: conflict });
    await expect(desk.subscribe('desk', 7, 'full', 'one')).rejects.toMatchObject({ code: 'busy' });
    expect(await desk.reserved('one')).toBe(0);
  });
});
