import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { eventOf } from '#functions/publisher/event-of.ts';
import type { AccountFeed } from '#shared/accounts/types.ts';
import { lifecycleEventSchema } from '#shared/events/lifecycle.ts';
import { anAccount, anAccountRecord, aRecord, aStreamRecord } from './a-stream-record.ts';

describe('a change of a subscription', () => {
  it('from nothing is its creation, with the id of the write', () => {
    const event = eventOf(aStreamRecord(undefined, aRecord({ change_id: 'first' })));
    expect(event).toEqual({
      event_id: 'first',
      event_type: 'subscription_created',
      instrument_token: 14_512_642,
      version: 1,
      metadata: {
        tradingsymbol: 'NIFTY2681826050CE',
        exchange: 'NFO',
        account_id: 'primary',
        requested_mode: 'full',
      },
      timestamp: '2026-08-18T05:13:00.000Z',
    });
    expect(lifecycleEventSchema.parse(event)).toEqual(event);
  });

  it('told twice is the same event', () => {
    const record = aStreamRecord(undefined, aRecord());
    expect(eventOf(record)).toEqual(eventOf(record));
  });

  it.each([
    ['a tombstone that comes back', 'removed', 'active', 'subscription_created'],
    ['the end of the last claim', 'active', 'removed', 'subscription_removed'],
  ] as const)('%s is told', (_name, before, after, event_type) => {
    const record = aStreamRecord(aRecord({ status: before }), aRecord({ status: after, version: 2 }));
    expect(eventOf(record)).toMatchObject({ event_type, version: 2 });
  });

  it.each([
    ['expired', 'subscription_removed'],
    ['token_changed', 'subscription_removed'],
    ['instrument_gone', 'subscription_failed'],
  ] as const)('that ends because it is %s is told as %s, with the reason', (end_reason, event_type) => {
    const event = eventOf(aStreamRecord(aRecord(), aRecord({ status: 'removed', version: 2, end_reason })));
    expect(event).toMatchObject({ event_type, version: 2, metadata: { reason: end_reason } });
    expect(lifecycleEventSchema.parse(event)).toEqual(event);
  });

  it('to another account says where it was', () => {
    const record = aStreamRecord(aRecord(), aRecord({ account_id: 'second', version: 2 }));
    expect(eventOf(record)).toMatchObject({
      event_type: 'subscription_moved',
      metadata: { account_id: 'second', previous_account_id: 'primary' },
    });
  });

  it('of claims or mode only is nothing to others', () => {
    expect(eventOf(aStreamRecord(aRecord(), aRecord({ revision: 2 })))).toBeUndefined();
    expect(eventOf(aStreamRecord(aRecord(), aRecord({ mode: 'ltp', version: 2 })))).toBeUndefined();
  });
});

describe('the mark of a first tick', () => {
  const activation = { version: 1, change_id: 'mark', activated_at: '2026-08-18T05:13:02.000Z' };

  it('is its activation, told of the version that ticked', () => {
    const event = eventOf(aStreamRecord(aRecord(), aRecord({ activation })));
    expect(event).toMatchObject({
      event_id: 'mark',
      event_type: 'subscription_activated',
      version: 1,
      timestamp: '2026-08-18T05:13:02.000Z',
    });
    expect(lifecycleEventSchema.parse(event)).toEqual(event);
  });

  it('that stays through other changes is not told again, nor is its loss at a new start', () => {
    const marked = aRecord({ activation });
    expect(eventOf(aStreamRecord(marked, { ...marked, mode: 'ltp', version: 2 }))).toBeUndefined();
    const ended = { ...marked, status: 'removed' as const, version: 3 };
    expect(eventOf(aStreamRecord(marked, ended))).toMatchObject({ event_type: 'subscription_removed' });
    expect(eventOf(aStreamRecord(ended, aRecord({ version: 4 })))).toMatchObject({
      event_type: 'subscription_created',
    });
  });
});

describe('a change of an account', () => {
  const session_change = { change_id: 'change', changed_at: '2026-08-19T00:30:05.000Z' };

  it('to a new token is session_refreshed, with the version and the end of the token', () => {
    const event = eventOf(anAccountRecord(anAccount(), anAccount({ session_version: 4, session_change })));
    expect(event).toEqual({
      event_id: 'change',
      event_type: 'session_refreshed',
      metadata: {
        account_id: 'primary',
        session_version: 4,
        session_expires_at: '2026-08-19T00:30:00.000Z',
      },
      timestamp: '2026-08-19T00:30:05.000Z',
    });
    expect(lifecycleEventSchema.parse(event)).toEqual(event);
  });

  it.each(['refused', 'expired'] as const)(
    'whose token is %s is login_required, with the reason',
    (reason) => {
      const dead = anAccount({ status: 'login_required', session_change: { ...session_change, reason } });
      const event = eventOf(anAccountRecord(anAccount(), dead));
      expect(event).toMatchObject({
        event_type: 'login_required',
        metadata: { account_id: 'primary', session_version: 3, reason },
      });
      expect(lifecycleEventSchema.parse(event)).toEqual(event);
    },
  );

  const feed: AccountFeed = {
    status: 'degraded',
    reason: 'session',
    since: '2026-08-19T04:00:00.000Z',
    changed_at: '2026-08-19T04:01:00.000Z',
    lease: 7,
    change_id: 'report',
    session_version: 3,
    subscriptions: 1_200,
    unplaced: 1_200,
    market: 'open',
  };

  it.each([
    ['degraded', 'account_degraded'],
    ['ok', 'account_recovered'],
  ] as const)('with a report that its feed is %s is %s, with what moving it needs', (status, event_type) => {
    const event = eventOf(anAccountRecord(anAccount(), anAccount({ feed: { ...feed, status } })));
    expect(event).toEqual({
      event_id: 'report',
      event_type,
      metadata: {
        account_id: 'primary',
        reason: 'session',
        since: '2026-08-19T04:00:00.000Z',
        lease: 7,
        session_version: 3,
        subscriptions: 1_200,
        unplaced: 1_200,
        market: 'open',
      },
      timestamp: '2026-08-19T04:01:00.000Z',
    });
    expect(lifecycleEventSchema.parse(event)).toEqual(event);
  });

  it('that is none of these is nothing to others: made, deleted, disabled, told already', () => {
    const told = anAccount({ session_change, feed });
    expect(eventOf(anAccountRecord(undefined, told))).toBeUndefined();
    expect(eventOf(anAccountRecord(told, undefined))).toBeUndefined();
    expect(eventOf(anAccountRecord(told, { ...told, status: 'disabled' }))).toBeUndefined();
    expect(eventOf(anAccountRecord(told, told))).toBeUndefined();
  });
});

describe('a change of anything else', () => {
  it('is nothing to others', () => {
    const claim: DynamoDBRecord = {
      dynamodb: {
        Keys: { pk: { S: 'SUB#0014512642' }, sk: { S: 'CLAIM#desk' } },
        NewImage: marshall({ owner: 'desk' }) as NonNullable<DynamoDBRecord['dynamodb']>['NewImage'] & object,
      },
    };
    expect(eventOf(claim)).toBeUndefined();
    expect(eventOf({})).toBeUndefined();
  });

  it('even where a subscription was deleted by hand: there is nothing to tell from', () => {
    expect(eventOf(aStreamRecord(aRecord(), undefined))).toBeUndefined();
  });

  it('is an error where it looks like a subscription and is none', () => {
    const broken = aStreamRecord(undefined, { ...aRecord(), mode: 'loud' as never });
    expect(() => eventOf(broken)).toThrow(/mode/);
  });
});
