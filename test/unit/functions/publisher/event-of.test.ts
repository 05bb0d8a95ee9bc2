import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { eventOf } from '#functions/publisher/event-of.ts';
import { lifecycleEventSchema } from '#shared/events/lifecycle.ts';
import { aRecord, aStreamRecord } from './a-stream-record.ts';

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
