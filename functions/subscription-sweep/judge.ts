import { contractEndMs } from '#shared/market/contract-end.ts';
import { familyOf, isBelievable } from '#shared/market/dump-belief.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { symbolOf } from '#shared/market/instrument-shards.ts';
import type { SubscriptionRecord } from '#shared/subscriptions/record.ts';

interface Ending {
  readonly record: SubscriptionRecord;
  readonly reason: 'expired' | 'instrument_gone';
}

interface Succession {
  readonly record: SubscriptionRecord;
  /** The contract is under another token today: its claims go there. Or it is under the same, and expires another day. */
  readonly reason: 'token_changed' | 'expiry_changed';
  readonly successor: Instrument;
}

/** What shall become of a subscription. */
export type Sentence = Ending | Succession;

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
  today: string,
): Sentence | undefined {
  if (named !== undefined && symbolOf(named) === symbolOf(record.instrument)) {
    return expiresAnotherDay(record.instrument, named, today)
      ? { record, reason: 'expiry_changed', successor: named }
      : undefined;
  }
  if (successor !== undefined) return { record, reason: 'token_changed', successor };
  return { record, reason: 'instrument_gone' };
}

/** A day that is over would end the subscription with the next run: that is believed of no single row. */
function expiresAnotherDay(known: Instrument, named: Instrument, today: string): boolean {
  return known.expiry !== '' && named.expiry !== known.expiry && named.expiry >= today;
}

/** Those of `gone` that the dump lacks although it has their like. It may be a newer one than they were looked for in. */
export function believedGone<S extends Pick<Sentence, 'record'>>(
  gone: readonly S[],
  dump: Iterable<Instrument>,
): S[] {
  const missing = Map.groupBy(gone, ({ record }) => familyOf(record.instrument));
  const listed = new Map<string, number>();
  const there = new Set<string>();
  for (const row of dump) {
    const family = familyOf(row);
    if (!missing.has(family)) continue;
    listed.set(family, (listed.get(family) ?? 0) + 1);
    there.add(symbolOf(row));
  }
  return [...missing].flatMap(([family, sentences]) =>
    isBelievable(sentences.length, listed.get(family) ?? 0)
      ? sentences.filter(({ record }) => !there.has(symbolOf(record.instrument)))
      : [],
  );
}
