import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, StreamRecord } from 'aws-lambda';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import { keys } from '#shared/table.ts';
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
  const key = keys.subscription((after ?? before)!.instrument_token);
  return {
    dynamodb: {
      Keys: image(key),
      SequenceNumber,
      ...(before === undefined ? {} : { OldImage: image({ ...key, ...before }) }),
      ...(after === undefined ? {} : { NewImage: image({ ...key, ...after }) }),
    },
  };
}
