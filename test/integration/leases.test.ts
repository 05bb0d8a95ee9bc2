import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LeaseRepository } from '#shared/accounts/leases.ts';
import { ManualClock } from '#shared/clock.ts';
import { type ScratchTable, scratchTable } from './scratch-table.ts';

const TTL_MS = 10_000;

describe('the lease of an account', () => {
  const clock = new ManualClock(1_792_489_200_000);
  let table: ScratchTable;
  let leases: LeaseRepository;

  beforeAll(async () => {
    table = await scratchTable();
    leases = new LeaseRepository(table.client, table.name, clock, { ttlMs: TTL_MS });
  });
  afterAll(() => table?.drop());

  it('goes to exactly one of many who ask at once', async () => {
    const asked = Array.from({ length: 10 }, (_, index) => leases.acquire('raced', `holder ${index}`));
    const got = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({ accountId: 'raced', lease: 1, expiresAtMs: clock.wallMs() + TTL_MS });
  });

  it('stays with its holder while that renews, and is numbered anew for the next one', async () => {
    const first = await leases.acquire('primary', 'a');
    clock.advance(TTL_MS - 1);
    expect(await leases.acquire('primary', 'b')).toBeUndefined();
    const renewed = await leases.renew(first!, 'a');
    expect(renewed).toMatchObject({ lease: first!.lease, expiresAtMs: clock.wallMs() + TTL_MS });
    clock.advance(TTL_MS);
    const second = await leases.acquire('primary', 'b');
    expect(second?.lease).toBe(first!.lease + 1);
    expect(await leases.renew(renewed!, 'a')).toBeUndefined();
    await leases.release(renewed!, 'a');
    expect(await leases.acquire('primary', 'c')).toBeUndefined();
  });

  it('that is given back can be taken at once', async () => {
    const lease = await leases.acquire('given back', 'a');
    await leases.release(lease!, 'a');
    expect((await leases.acquire('given back', 'b'))?.lease).toBe(2);
  });
});
