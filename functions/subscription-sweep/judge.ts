import { contractEndMs } from '#shared/market/contract-end.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { symbolOf } from '#shared/market/instrument-shards.ts';
import type { EndReason, SubscriptionRecord } from '#shared/subscriptions/record.ts';

/** What shall become of a subscription. */
export interface Sentence {
  readonly record: SubscriptionRecord;
  readonly reason: EndReason;
  /** The contract under its token of today: its claims go there. */
  readonly successor?: Instrument;
}

export function isExpired({ instrument }: SubscriptionRecord, nowMs: number, graceMs: number): boolean {
  const endMs = contractEndMs(instrument);
  return endMs !== undefined && nowMs >= endMs + graceMs;
}

/**
 * `named`: what the dump has under the record's token; `successor`: what it has under the record's symbol.
 * @returns undefined where the dump and the record agree
 */
export function notCurrent(
  record: SubscriptionRecord,
  named: Instrument | undefined,
  successor: Instrument | undefined,
): Sentence | undefined {
  if (named !== undefined && symbolOf(named) === symbolOf(record.instrument)) return undefined;
  if (successor !== undefined) return { record, reason: 'token_changed', successor };
  return { record, reason: 'instrument_gone' };
}

const BELIEVED_MISSING_FRACTION = 0.2;
const BELIEVED_MISSING = 20;

/** A dump that lacks this much of what people stream is taken for a broken one, not for the market. */
export function isBelievable(missing: number, looked: number): boolean {
  return missing <= BELIEVED_MISSING || missing <= looked * BELIEVED_MISSING_FRACTION;
}
