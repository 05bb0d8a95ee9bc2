import type { Claim } from '#shared/subscriptions/claims.ts';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';

/** A subscription as callers see it; `mode` is what streams, the highest that anybody claims. */
export function viewOf(record: SubscriptionRecord) {
  const { instrument } = record;
  return {
    instrument_token: record.instrument_token,
    exchange: instrument.exchange,
    tradingsymbol: instrument.tradingsymbol,
    name: instrument.name,
    instrument_type: instrument.instrument_type,
    expiry: instrument.expiry,
    strike: instrument.strike,
    account_id: record.account_id,
    mode: record.mode,
    status: record.status,
    version: record.version,
    created_at: record.created_at,
    updated_at: record.updated_at,
  };
}

export function viewWithClaims(record: SubscriptionRecord, claims: readonly Claim[], owner: string) {
  const own = claims.find((claim) => claim.owner === owner);
  return {
    ...viewOf(record),
    ...(own === undefined ? {} : { requested_mode: own.mode }),
    claims: claims.map(({ owner: name, mode, created_at }) => ({ owner: name, mode, created_at })),
  };
}
