import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Item } from '../dynamo.ts';
import { gsi1Partitions, keys } from '../table.ts';
import type { Claim } from './claims.ts';
import type { SubscriptionRecord } from './record.ts';
import type { AccountSubscription } from './types.ts';

type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** One atomic change of a subscription, its claims and what its account streams. */
export interface SubscriptionChange {
  /** As it was read; undefined for the first subscription ever. */
  readonly before: SubscriptionRecord | undefined;
  readonly after: SubscriptionRecord;
  readonly claim: { readonly put: Claim } | { readonly end: string };
}

/** Whether the account's streamer has something to do. */
export function isVisible(change: SubscriptionChange): boolean {
  return change.before?.version !== change.after.version;
}

/** Key attributes of a record in the list's index: also the list's cursor. */
export function indexKeyOf(record: SubscriptionRecord): Item {
  const { exchange, tradingsymbol } = record.instrument;
  return {
    ...keys.subscription(record.instrument_token),
    gsi1pk: gsi1Partitions.subscriptions,
    gsi1sk: `${exchange}:${tradingsymbol}`,
  };
}

/** The transaction; its first item carries the condition that nobody changed the subscription since it was read. */
export function transactItems(table: string, change: SubscriptionChange): TransactItems {
  const items = [subscriptionPut(table, change), claimWrite(table, change)];
  if (isVisible(change)) items.push(accountRowWrite(table, change.after), dirtyMark(table, change.after));
  return items;
}

type TransactItem = TransactItems[number];

function subscriptionPut(table: string, { before, after }: SubscriptionChange): TransactItem {
  const key = after.status === 'active' ? indexKeyOf(after) : keys.subscription(after.instrument_token);
  const condition =
    before === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: 'revision = :seen',
          ExpressionAttributeValues: { ':seen': before.revision },
        };
  return { Put: { TableName: table, Item: { ...key, ...after }, ...condition } };
}

function claimWrite(table: string, { after, claim }: SubscriptionChange): TransactItem {
  const token = after.instrument_token;
  if ('put' in claim) {
    return { Put: { TableName: table, Item: { ...keys.claim(token, claim.put.owner), ...claim.put } } };
  }
  return { Delete: { TableName: table, Key: keys.claim(token, claim.end) } };
}

function accountRowWrite(table: string, after: SubscriptionRecord): TransactItem {
  const { account_id, instrument_token, mode, version, instrument } = after;
  const key = keys.accountSubscription(account_id, instrument_token);
  if (after.status === 'removed') return { Delete: { TableName: table, Key: key } };
  const row: AccountSubscription = { instrument_token, mode, version, instrument };
  return { Put: { TableName: table, Item: { ...key, ...row } } };
}

function dirtyMark(table: string, { account_id }: SubscriptionRecord): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: keys.dirty(account_id),
      UpdateExpression: 'ADD #mark :one',
      ExpressionAttributeNames: { '#mark': 'mark' },
      ExpressionAttributeValues: { ':one': 1 },
    },
  };
}
