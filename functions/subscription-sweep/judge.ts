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

/**
 * Those of `gone` that have gone by the dump, which may be a newer one than they were looked for in: all of those whose
 * tokens it gives to other contracts, and of those whose tokens it lacks the ones that it lacks beside their like.
 *
 * A dump broken off is short of rows, the ones it has are right; one whose tokens are mixed up still has the symbols,
 * which makes it `token_changed`. Only one that is wrong in both and passed `refuseShrunken` is believed too much.
 */
export function believedGone<S extends Pick<Sentence, 'record'>>(
  gone: readonly S[],
  dump: readonly Instrument[],
  today: string,
): S[] {
  const symbols = new Set(gone.map(({ record }) => symbolOf(record.instrument)));
  const listed = new Set(dump.map(symbolOf).filter((symbol) => symbols.has(symbol)));
  const lacking = gone.filter(({ record }) => !listed.has(symbolOf(record.instrument)));
  const taken = takenTokens(dump, today);
  const isTaken = ({ record }: S) => taken.has(record.instrument_token);
  const absent = lacking.filter((sentence) => !isTaken(sentence));
  return [...lacking.filter(isTaken), ...besideTheirLike(absent, dump)];
}

/** A row that is over is an older dump's: it may have had the token before the contract that is looked for. */
function takenTokens(dump: readonly Instrument[], today: string): Set<number> {
  const living = dump.filter(({ expiry }) => expiry === '' || expiry >= today);
  return new Set(living.map(({ instrument_token }) => instrument_token));
}

function besideTheirLike<S extends Pick<Sentence, 'record'>>(
  absent: readonly S[],
  dump: readonly Instrument[],
): S[] {
  const missing = Map.groupBy(absent, ({ record }) => familyOf(record.instrument));
  const listed = new Map<string, number>();
  for (const row of dump) {
    const family = familyOf(row);
    if (missing.has(family)) listed.set(family, (listed.get(family) ?? 0) + 1);
  }
  return [...missing].flatMap(([family, sentences]) =>
    isBelievable(sentences.length, listed.get(family) ?? 0) ? sentences : [],
  );
}
