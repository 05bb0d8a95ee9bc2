import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { SubscriptionEvent } from '#shared/events/lifecycle.ts';
import { type SubscriptionRecord, subscriptionRecordSchema } from '#shared/subscriptions/record.ts';
import { keys } from '#shared/table.ts';

type Image = Record<string, AttributeValue>;

const SUBSCRIPTION_SK = keys.subscription(0).sk;

/** What a change of the table is to other systems; undefined where it is nothing to them. */
export function eventOf({ dynamodb }: DynamoDBRecord): SubscriptionEvent | undefined {
  if (dynamodb?.Keys?.sk?.S !== SUBSCRIPTION_SK) return undefined;
  const before = recordOf(dynamodb.OldImage);
  const after = recordOf(dynamodb.NewImage);
  if (after === undefined) return undefined;
  const event_type = typeOf(before, after);
  if (event_type === undefined) return undefined;
  const { instrument, account_id, mode } = after;
  const { tradingsymbol, exchange } = instrument;
  return {
    event_id: after.change_id,
    event_type,
    instrument_token: after.instrument_token,
    version: after.version,
    metadata: { tradingsymbol, exchange, account_id, requested_mode: mode, ...origin(event_type, before) },
    timestamp: after.updated_at,
  };
}

function typeOf(before: SubscriptionRecord | undefined, after: SubscriptionRecord) {
  const wasActive = before?.status === 'active';
  const isActive = after.status === 'active';
  if (isActive && !wasActive) return 'subscription_created';
  if (!isActive && wasActive) return 'subscription_removed';
  if (isActive && before?.account_id !== after.account_id) return 'subscription_moved';
  return undefined;
}

function origin(eventType: SubscriptionEvent['event_type'], before: SubscriptionRecord | undefined) {
  if (eventType !== 'subscription_moved' || before === undefined) return {};
  return { previous_account_id: before.account_id };
}

function recordOf(image: unknown): SubscriptionRecord | undefined {
  return image === undefined ? undefined : subscriptionRecordSchema.parse(unmarshall(image as Image));
}
