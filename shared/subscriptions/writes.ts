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
  const items = [subscriptionWrite(table, change), claimWrite(table, change)];
  if (isVisible(change)) items.push(accountRowWrite(table, change), dirtyMark(table, change.after));
  return items;
}

type TransactItem = TransactItems[number];

/** Whether the instrument begins to stream: then nothing of an earlier time may stay. */
function isStart({ before, after }: SubscriptionChange): boolean {
  return after.status === 'active' && before?.status !== 'active';
}

/** A start replaces the item; any other change leaves alone what it does not name: the streamer's mark. */
function subscriptionWrite(table: string, change: SubscriptionChange): TransactItem {
  const { before, after } = change;
  const item = { ...indexKeyOf(after), ...after };
  if (before === undefined) {
    return { Put: { TableName: table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' } };
  }
  const ConditionExpression = 'revision = :seen';
  const seen = { ':seen': before.revision };
  if (isStart(change)) {
    return { Put: { TableName: table, Item: item, ConditionExpression, ExpressionAttributeValues: seen } };
  }
  const { activation: _streamersOwn, ...own } = after;
  const key = keys.subscription(after.instrument_token);
  const leavesIndex = after.status === 'removed' ? ['gsi1pk', 'gsi1sk'] : [];
  return { Update: { TableName: table, Key: key, ConditionExpression, ...setting(own, leavesIndex, seen) } };
}

/** An update that sets these attributes and removes those. */
function setting(attributes: object, removed: readonly string[], values: Item = {}) {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const sets = given.map(([name]) => `#${name} = :${name}`).join(', ');
  const removes = removed.length === 0 ? '' : ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}`;
  const names = [...given.map(([name]) => name), ...removed];
  return {
    UpdateExpression: `SET ${sets}${removes}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ...values,
      ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
    },
  };
}

function claimWrite(table: string, { after, claim }: SubscriptionChange): TransactItem {
  const token = after.instrument_token;
  if ('put' in claim) {
    return { Put: { TableName: table, Item: { ...keys.claim(token, claim.put.owner), ...claim.put } } };
  }
  return { Delete: { TableName: table, Key: keys.claim(token, claim.end) } };
}

function accountRowWrite(table: string, change: SubscriptionChange): TransactItem {
  const { after } = change;
  const { account_id, instrument_token, mode, version, instrument } = after;
  const key = keys.accountSubscription(account_id, instrument_token);
  if (after.status === 'removed') return { Delete: { TableName: table, Key: key } };
  const row: AccountSubscription = { instrument_token, mode, version, instrument };
  if (isStart(change)) return { Put: { TableName: table, Item: { ...key, ...row } } };
  return { Update: { TableName: table, Key: key, ...setting(row, []) } };
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
