import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';
import type { ListQuery } from './input.ts';

type Filters = Pick<
  ListQuery,
  'account_id' | 'underlying' | 'type' | 'expiry' | 'exchange' | 'tradingsymbol' | 'mode'
>;

/** A record passes when every filter that was given has its value. */
export function matcherOf(filters: Filters): (record: SubscriptionRecord) => boolean {
  return ({ account_id, mode, instrument }) =>
    has(filters.account_id, account_id) &&
    has(filters.mode, mode) &&
    has(filters.underlying, instrument.name) &&
    has(filters.type, instrument.instrument_type) &&
    has(filters.expiry, instrument.expiry) &&
    has(filters.exchange, instrument.exchange) &&
    has(filters.tradingsymbol, instrument.tradingsymbol);
}

function has<T>(wanted: readonly T[] | undefined, value: T): boolean {
  return wanted === undefined || wanted.includes(value);
}
