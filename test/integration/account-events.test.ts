import { randomUUID } from 'node:crypto';
import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { type Lease, LeaseRepository } from '#shared/accounts/leases.ts';
import { AccountReportRepository } from '#shared/accounts/reports.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import type { AccountFeed, SessionChange, SessionReason } from '#shared/accounts/types.ts';
import { documentClient, secretsManagerClient } from '#shared/aws.ts';
import { systemClock } from '#shared/clock.ts';
import type { LifecycleEvent } from '#shared/events/lifecycle.ts';
import { EVENT_SOURCE, stageNames } from '#shared/names.ts';
import { keys } from '#shared/table.ts';
import { eventually } from './client.ts';
import { EventTap } from './event-tap.ts';
import { usePlatformEnv } from './scratch-table.ts';

const RENEW_MS = 1_000;
const clock = systemClock();
const { table } = stageNames('local');

let accounts: AccountRepository;
let reports: AccountReportRepository;
let leases: LeaseRepository;
let tap: EventTap;
let renewing: NodeJS.Timeout;
/** No streamer may take them: what is told of their accounts is what is written here. */
const held: Lease[] = [];
const opened: string[] = [];

beforeAll(async () => {
  usePlatformEnv();
  const client = documentClient();
  const secrets = new CredentialStore(secretsManagerClient(), 'local');
  accounts = new AccountRepository(client, table, secrets, clock);
  reports = new AccountReportRepository(client, table);
  leases = new LeaseRepository(client, table);
  renewing = setInterval(() => {
    for (const lease of held) void leases.renew(lease, 'test').catch(() => {});
  }, RENEW_MS);
  tap = await EventTap.open('account-events-test', inject('platform').outputs.redis_url);
});
afterAll(async () => {
  clearInterval(renewing);
  // An account that looks alive would be given the subscriptions of other tests.
  for (const accountId of opened) {
    for (const Key of [keys.account(accountId), keys.lease(accountId)])
      await documentClient().send(new DeleteCommand({ TableName: table, Key }));
  }
  await tap?.close();
});

/** An account of this test alone, logged in once, whose lease is held here. */
async function openAccount(): Promise<{ account_id: string; lease: number }> {
  const account_id = `events-${randomUUID().slice(0, 8)}`;
  const lease = await acquire(account_id);
  await accounts.create(account_id, { api_key: 'k', api_secret: 's', user_id: 'U' });
  await accounts.saveSession(account_id, 'token-1');
  return { account_id, lease: lease.lease };
}

async function acquire(account_id: string): Promise<Lease> {
  const lease = (await leases.acquire(account_id, 'test', undefined))!;
  held.push(lease);
  opened.push(account_id);
  return lease;
}

/** Another streamer's lease, whatever the one held here is renewed to. */
async function takeOver(account_id: string): Promise<number> {
  held.splice(
    held.findIndex(({ accountId }) => accountId === account_id),
    1,
  );
  return eventually('the lease to be taken over', async () => {
    const { Item } = await documentClient().send(
      new GetCommand({ TableName: table, Key: keys.lease(account_id), ConsistentRead: true }),
    );
    const seen = { accountId: account_id, lease: Item!.lease, renewals: Item!.renewals, holder: 'test' };
    return (await leases.acquire(account_id, 'another', seen))?.lease;
  });
}

const aChange = (reason: SessionReason): SessionChange => ({
  change_id: randomUUID(),
  changed_at: new Date(clock.nowMs()).toISOString(),
  reason,
});

const aFeed = (lease: number, changes: Partial<AccountFeed> = {}): AccountFeed => ({
  status: 'degraded',
  reason: 'feed',
  since: '2026-08-18T04:00:00.000Z',
  changed_at: new Date(clock.nowMs()).toISOString(),
  lease,
  change_id: randomUUID(),
  session_version: 1,
  subscriptions: 12,
  unplaced: 12,
  market: 'open',
  ...changes,
});

const of = (account_id: string) => (event: LifecycleEvent) => event.metadata.account_id === account_id;

/** Everything told of the account, each event once, in the order of the stream. */
function storyOf(account_id: string): string[] {
  const events = new Map(tap.onRedis.filter(of(account_id)).map((event) => [event.event_id, event]));
  return [...events.values()].map(({ event_type }) => event_type);
}

function told(account_id: string, type: LifecycleEvent['event_type'], nth = 1) {
  const ids = (events: readonly LifecycleEvent[]) => [
    ...new Set(
      events.filter((each) => of(account_id)(each) && each.event_type === type).map((each) => each.event_id),
    ),
  ];
  return tap.told(`${type} of ${account_id}`, (event) => event.event_id === ids(tap.onRedis)[nth - 1]);
}

describe('the session of an account', () => {
  it('is told when it comes, when it dies and when a new one comes, each once and in both places', async () => {
    const { account_id } = await openAccount();
    const first = await told(account_id, 'session_refreshed');
    expect(first.entry).toMatchObject({
      source: EVENT_SOURCE,
      type: 'session_refreshed',
      event: first.message,
    });
    expect(first.message.metadata).toEqual({
      account_id,
      session_version: 1,
      session_expires_at: new Date((await accounts.get(account_id))!.session_expires_at_ms!).toISOString(),
    });

    expect(await reports.sessionDied(account_id, 1, aChange('refused'))).toBe(true);
    expect(await reports.sessionDied(account_id, 1, aChange('refused'))).toBe(false);
    expect(await accounts.get(account_id)).toMatchObject({ status: 'login_required', session_version: 1 });
    const dead = await told(account_id, 'login_required');
    expect(dead.entry.event).toEqual(dead.message);
    expect(dead.message.metadata).toMatchObject({ session_version: 1, reason: 'refused' });

    await accounts.saveSession(account_id, 'token-2');
    const again = await told(account_id, 'session_refreshed', 2);
    expect(again.message.metadata).toMatchObject({ session_version: 2 });
    expect(again.message.metadata).not.toHaveProperty('reason');
    expect(storyOf(account_id)).toEqual(['session_refreshed', 'login_required', 'session_refreshed']);
  });

  it('that is newer is not touched by the death of an older one', async () => {
    const { account_id } = await openAccount();
    await accounts.saveSession(account_id, 'token-2');
    expect(await reports.sessionDied(account_id, 1, aChange('refused'))).toBe(false);
    expect(await accounts.get(account_id)).toMatchObject({ status: 'active', session_version: 2 });
    await told(account_id, 'session_refreshed', 2);
    expect(storyOf(account_id)).toEqual(['session_refreshed', 'session_refreshed']);
  });

  it('that the broker takes again after all makes the account active', async () => {
    const { account_id } = await openAccount();
    expect(await reports.sessionLives(account_id, 1, aChange('accepted_again'))).toBe(false);
    await reports.sessionDied(account_id, 1, aChange('refused'));
    expect(await reports.sessionLives(account_id, 1, aChange('accepted_again'))).toBe(true);
    expect(await accounts.get(account_id)).toMatchObject({ status: 'active', session_version: 1 });
    const { message } = await told(account_id, 'session_refreshed', 2);
    expect(message.metadata).toMatchObject({ session_version: 1, reason: 'accepted_again' });
  });

  it('of a disabled account that dies changes nothing', async () => {
    const { account_id } = await openAccount();
    await documentClient().send(
      new UpdateCommand({
        TableName: table,
        Key: keys.account(account_id),
        UpdateExpression: 'SET #status = :disabled',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':disabled': 'disabled' },
      }),
    );
    expect(await reports.sessionDied(account_id, 1, aChange('refused'))).toBe(false);
    expect(await accounts.get(account_id)).toMatchObject({ status: 'disabled' });
  });
});

describe('an account that is lost', () => {
  it('and found is told with what moving its subscriptions needs, once however often it is sent', async () => {
    const { account_id, lease } = await openAccount();
    const lost = aFeed(lease);
    expect(await reports.feedChanged(account_id, lost)).toBe(true);
    expect(await reports.feedChanged(account_id, lost)).toBe(true);
    const { message, entry } = await told(account_id, 'account_degraded');
    expect(entry).toMatchObject({ type: 'account_degraded', event: message });
    const { status: _, change_id, changed_at, ...metadata } = lost;
    expect(message).toEqual({
      event_id: change_id,
      event_type: 'account_degraded',
      metadata: { account_id, ...metadata },
      timestamp: changed_at,
    });
    expect(await reports.feedChanged(account_id, aFeed(lease, { status: 'ok', unplaced: 0 }))).toBe(true);
    await told(account_id, 'account_recovered');
    expect(storyOf(account_id)).toEqual(['session_refreshed', 'account_degraded', 'account_recovered']);
    expect((await accounts.get(account_id))?.feed).toMatchObject({ status: 'ok', lease });
  });

  it('is not told of by a streamer whose lease another one has taken', async () => {
    const { account_id, lease } = await openAccount();
    const next = await takeOver(account_id);
    expect(next).toBeGreaterThan(lease);
    expect(await reports.feedChanged(account_id, aFeed(lease))).toBe(false);
    expect((await accounts.get(account_id))?.feed).toBeUndefined();
    expect(await reports.feedChanged(account_id, aFeed(next))).toBe(true);
    expect(await reports.feedChanged(account_id, aFeed(lease, { status: 'ok' }))).toBe(false);
    expect((await accounts.get(account_id))?.feed).toMatchObject({ status: 'degraded', lease: next });
  });

  it('that was deleted meanwhile stays so', async () => {
    const account_id = `events-${randomUUID().slice(0, 8)}`;
    const { lease } = await acquire(account_id);
    expect(await reports.feedChanged(account_id, aFeed(lease))).toBe(false);
    expect(await accounts.get(account_id)).toBeUndefined();
  });
});
