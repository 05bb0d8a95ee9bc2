import type { SubscriptionEvent } from '#shared/events/lifecycle.ts';
import { type SubscriptionRecord, subscriptionRecordSchema } from '#shared/subscriptions/record.ts';

/** What a change of a subscription's item is to other systems. */
export function subscriptionEvent(before: unknown, after: unknown): SubscriptionEvent | undefined {
  const old = before === undefined ? undefined : subscriptionRecordSchema.parse(before);
  if (after === undefined) return undefined;
  const record = subscriptionRecordSchema.parse(after);
  const event_type = typeOf(old, record);
  if (event_type !== undefined) {
    return eventAbout(
      record,
      event_type,
      record.change_id,
      record.updated_at,
      details(event_type, old, record),
    );
  }
  const { activation } = record;
  if (activation === undefined || activation.change_id === old?.activation?.change_id) return undefined;
  return eventAbout(record, 'subscription_activated', activation.change_id, activation.activated_at);
}

function eventAbout(
  record: SubscriptionRecord,
  event_type: SubscriptionEvent['event_type'],
  event_id: string,
  timestamp: string,
  more: { previous_account_id?: string; reason?: string } = {},
): SubscriptionEvent {
  const { instrument_token, version, account_id, mode, instrument } = record;
  const { tradingsymbol, exchange } = instrument;
  const metadata = { tradingsymbol, exchange, account_id, requested_mode: mode, ...more };
  return { event_id, event_type, instrument_token, version, metadata, timestamp };
}

function typeOf(before: SubscriptionRecord | undefined, after: SubscriptionRecord) {
  const wasActive = before?.status === 'active';
  const isActive = after.status === 'active';
  if (isActive && !wasActive) return 'subscription_created';
  if (!isActive && wasActive) return endOf(after);
  if (isActive && before?.account_id !== after.account_id) return 'subscription_moved';
  return undefined;
}

/** An end that its owners could not expect is a failure. */
function endOf({ end_reason }: SubscriptionRecord) {
  return end_reason === 'instrument_gone' ? 'subscription_failed' : 'subscription_removed';
}

function details(
  eventType: SubscriptionEvent['event_type'],
  before: SubscriptionRecord | undefined,
  { end_reason }: SubscriptionRecord,
) {
  if (eventType === 'subscription_moved' && before !== undefined) {
    return { previous_account_id: before.account_id };
  }
  return end_reason === undefined ? {} : { reason: end_reason };
}
