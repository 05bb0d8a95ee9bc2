import type { DynamoDBRecord } from 'aws-lambda';
import type { LifecycleEvent } from '#shared/events/lifecycle.ts';
import { keys } from '#shared/table.ts';
import { accountEvent } from './account-event.ts';
import { itemOf } from './images.ts';
import { subscriptionEvent } from './subscription-event.ts';

const SUBSCRIPTION_SK = keys.subscription(0).sk;
const ACCOUNT_SK = keys.account('').sk;

/** What a change of the table is to other systems; undefined where it is nothing to them. */
export function eventOf({ dynamodb }: DynamoDBRecord): LifecycleEvent | undefined {
  const sortKey = dynamodb?.Keys?.sk?.S;
  if (sortKey !== SUBSCRIPTION_SK && sortKey !== ACCOUNT_SK) return undefined;
  const before = itemOf(dynamodb?.OldImage);
  const after = itemOf(dynamodb?.NewImage);
  return sortKey === ACCOUNT_SK ? accountEvent(before, after) : subscriptionEvent(before, after);
}
