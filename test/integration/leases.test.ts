import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LeaseRepository } from '#shared/accounts/leases.ts';
import { MemberRepository } from '#shared/accounts/members.ts';
import { type ScratchTable, scratchTable } from './scratch-table.ts';

describe('the lease of an account', () => {
  let table: ScratchTable;
  let leases: LeaseRepository;
  let members: MemberRepository;

  beforeAll(async () => {
    table = await scratchTable();
    leases = new LeaseRepository(table.client, table.name);
    members = new MemberRepository(table.client, table.name);
  });
  afterAll(() => table?.drop());

  async function seen(accountId: string) {
    const board = await members.readBoard();
    return board.leases.find((record) => record.accountId === accountId);
  }

  it('goes to exactly one of many who ask at once', async () => {
    const ask = (_: unknown, index: number) => leases.acquire('raced', `holder ${index}`, undefined);
    const got = (await Promise.all(Array.from({ length: 10 }, ask))).filter((lease) => lease !== undefined);
    expect(got).toEqual([{ accountId: 'raced', lease: 1 }]);
  });

  it('can be taken only as it was seen: any sign of life in between keeps it', async () => {
    const first = await leases.acquire('primary', 'a', undefined);
    const before = await seen('primary');
    expect(before).toEqual({ accountId: 'primary', lease: 1, renewals: 0, holder: 'a' });
    expect(await leases.renew(first!, 'a')).toBe(true);
    expect(await leases.acquire('primary', 'b', before)).toBeUndefined();
    expect(await leases.acquire('primary', 'b', undefined)).toBeUndefined();
    expect(await leases.acquire('primary', 'b', await seen('primary'))).toEqual({
      accountId: 'primary',
      lease: 2,
    });
  });

  it('that was taken can neither be renewed nor given back by the holder before', async () => {
    const first = await leases.acquire('taken', 'a', undefined);
    const second = await leases.acquire('taken', 'b', await seen('taken'));
    expect(await leases.renew(first!, 'a')).toBe(false);
    await leases.release(first!, 'a');
    expect(await seen('taken')).toMatchObject({ lease: 2, holder: 'b' });
    expect(await leases.renew(second!, 'b')).toBe(true);
  });

  it('that is given back has no holder, and is numbered anew for the next one', async () => {
    const lease = await leases.acquire('given back', 'a', undefined);
    await leases.release(lease!, 'a');
    const released = await seen('given back');
    expect(released?.holder).toBeUndefined();
    expect(await leases.acquire('given back', 'a', released)).toMatchObject({ lease: 2 });
  });

  it('taken by a request that is executed twice, or asked for again after a lost answer, is taken once', async () => {
    const first = await leases.acquire('twice', 'a', undefined);
    expect(await leases.acquire('twice', 'a', undefined)).toEqual(first);
    await leases.renew(first!, 'a');
    await leases.release(first!, 'a');
    await leases.release(first!, 'a');
    expect(await seen('twice')).toMatchObject({ lease: 1 });
  });

  it('gets a number above the one that Redis knows, where the table is younger than Redis', async () => {
    expect(await leases.acquire('younger', 'a', undefined, 41)).toMatchObject({ lease: 42 });
  });
});

describe('the board', () => {
  it('shows who lives, leaves and is gone', async () => {
    const table = await scratchTable();
    const members = new MemberRepository(table.client, table.name);
    const a = { holder: 'a', beats: 1, isLeaving: false, maxAccounts: 5 };
    const b = { holder: 'b', beats: 9, isLeaving: false, maxAccounts: 7 };
    await Promise.all([members.beat(a), members.beat(b)]);
    expect(await members.readBoard()).toEqual({ leases: [], members: [a, b] });
    const later = { ...a, beats: 2, isLeaving: true };
    await members.beat(later);
    // Seen before its last sign of life.
    await members.remove(a);
    await members.remove(b);
    expect(await members.readBoard()).toEqual({ leases: [], members: [later] });
    await table.drop();
  });
});
