import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, StreamRecord } from 'aws-lambda';
import type { Account } from '#shared/accounts/types.ts';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import { type Key, keys } from '#shared/table.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

export function aRecord(changes: Partial<SubscriptionRecord> = {}): SubscriptionRecord {
  return {
    instrument_token: 14_512_642,
    account_id: 'primary',
    mode: 'full',
    status: 'active',
    version: 1,
    revision: 1,
    change_id: 'change-1',
    instrument: anInstrument(),
    created_at: '2026-08-18T05:13:00.000Z',
    updated_at: '2026-08-18T05:13:00.000Z',
    ...changes,
  };
}

type Image = NonNullable<StreamRecord['NewImage']>;
const image = (item: object) => marshall(item) as unknown as Image;

/** A record of the table's stream, as Lambda hands it over. */
export function aStreamRecord(
  before: SubscriptionRecord | undefined,
  after: SubscriptionRecord | undefined,
  SequenceNumber = '1',
): DynamoDBRecord {
  return change(keys.subscription((after ?? before)!.instrument_token), before, after, SequenceNumber);
}

export function anAccount(changes: Partial<Account> = {}): Account {
  return {
    account_id: 'primary',
    user_id: 'SIM001',
    api_key: 'simkey',
    session_version: 3,
    status: 'active',
    created_at: '2026-08-17T05:13:00.000Z',
    session_expires_at_ms: Date.parse('2026-08-19T00:30:00.000Z'),
    ...changes,
  };
}

export function anAccountRecord(before: Account | undefined, after: Account | undefined): DynamoDBRecord {
  return change(keys.account((after ?? before)!.account_id), before, after, '1');
}

function change(key: Key, before: object | undefined, after: object | undefined, SequenceNumber: string) {
  return {
    dynamodb: {
      Keys: image(key),
      SequenceNumber,
      ...(before === undefined ? {} : { OldImage: image({ ...key, ...before }) }),
      ...(after === undefined ? {} : { NewImage: image({ ...key, ...after }) }),
    },
  };
}
