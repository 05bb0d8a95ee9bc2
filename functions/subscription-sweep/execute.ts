import type { Instrument } from '#shared/market/instrument.ts';
import { symbolOf } from '#shared/market/instrument-shards.ts';
import type { Claim } from '#shared/subscriptions/claims.ts';
import { SubscriptionError } from '#shared/subscriptions/errors.ts';
import type { EndReason, SubscriptionRecord } from '#shared/subscriptions/record.ts';
import type { Sentence } from './judge.ts';
import type { SweepParts } from './sweep.ts';

type Desk = Pick<SweepParts, 'repository' | 'subscriber'>;

export type Outcome = 'ended' | 'moved' | 'renewed';

/**
 * Ends every claim of the subscription, the way a DELETE of its owner would; the last one takes it along.
 * @returns undefined where the subscription is not the one that was judged any more
 */
export async function execute(desk: Desk, sentence: Sentence): Promise<Outcome | undefined> {
  const { record, reason } = sentence;
  const loaded = await desk.repository.load(record.instrument_token);
  // Whoever claims what the token names by now asked for nothing else.
  if (loaded === undefined || !isStill(loaded.record, record)) return undefined;
  if (reason === 'expiry_changed') return renew(desk, sentence.successor);
  for (const claim of loaded.claims) {
    if (reason === 'token_changed') await move(desk, record, claim, sentence.successor);
    else await release(desk, record, claim, reason);
  }
  return reason === 'token_changed' ? 'moved' : 'ended';
}

function isStill(now: SubscriptionRecord, judged: SubscriptionRecord): boolean {
  return (
    now.status === 'active' &&
    symbolOf(now.instrument) === symbolOf(judged.instrument) &&
    now.instrument.expiry === judged.instrument.expiry
  );
}

async function renew({ subscriber }: Desk, instrument: Instrument): Promise<Outcome | undefined> {
  return (await unlessGone(subscriber.renew(instrument))) ? 'renewed' : undefined;
}

async function release(
  { subscriber }: Desk,
  { instrument }: SubscriptionRecord,
  { owner }: Claim,
  reason: EndReason,
): Promise<void> {
  await unlessGone(subscriber.release({ owner, instrument, reason }));
}

/** A claim that is gone by now, or of what the token names since, is none of ours. */
async function unlessGone(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (!(error instanceof SubscriptionError) || error.code !== 'not_claimed') throw error;
    return false;
  }
}

/** Claimed under the new token before it is left under the old: cut short in between, nothing is lost. */
async function move(
  desk: Desk,
  record: SubscriptionRecord,
  claim: Claim,
  successor: Instrument,
): Promise<void> {
  const { owner } = claim;
  const there = await desk.repository.load(successor.instrument_token);
  const isThere =
    there?.record.status === 'active' &&
    there.record.instrument.tradingsymbol === successor.tradingsymbol &&
    there.claims.some((other) => other.owner === owner);
  if (!isThere) await claimOn(desk, { owner, mode: claim.mode, instrument: successor }, record);
  await release(desk, record, claim, 'token_changed');
}

async function claimOn(
  { subscriber }: Desk,
  wish: Omit<Parameters<Desk['subscriber']['subscribe']>[0], 'accountId'>,
  record: SubscriptionRecord,
): Promise<void> {
  try {
    await subscriber.subscribe({ ...wish, accountId: record.account_id });
  } catch (error) {
    // Its own account is full, or another streams the contract already.
    const isElsewhere =
      error instanceof SubscriptionError &&
      (error.code === 'account_full' || error.code === 'subscribed_elsewhere');
    if (!isElsewhere) throw error;
    await subscriber.subscribe(wish);
  }
}
