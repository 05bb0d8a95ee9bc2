import type { Instrument } from '#shared/market/instrument.ts';
import type { Claim } from '#shared/subscriptions/claims.ts';
import { SubscriptionError } from '#shared/subscriptions/errors.ts';
import type { Sentence } from './judge.ts';
import type { SweepParts } from './sweep.ts';

type Desk = Pick<SweepParts, 'repository' | 'subscriber'>;

/** Ends every claim of the subscription, the way a DELETE of its owner would; the last one takes it along. */
export async function execute(desk: Desk, sentence: Sentence): Promise<'ended' | 'moved'> {
  const { record, successor } = sentence;
  const loaded = await desk.repository.load(record.instrument_token);
  for (const claim of loaded?.claims ?? []) {
    if (successor === undefined) await release(desk, sentence, claim);
    else await move(desk, sentence, claim, successor);
  }
  return successor === undefined ? 'ended' : 'moved';
}

/** A claim that is gone by now, or of what the token names since, is none of ours. */
async function release({ subscriber }: Desk, { record, reason }: Sentence, claim: Claim): Promise<void> {
  try {
    await subscriber.release({ owner: claim.owner, instrument: record.instrument, reason });
  } catch (error) {
    if (!(error instanceof SubscriptionError) || error.code !== 'not_claimed') throw error;
  }
}

/** Claimed under the new token before it is left under the old: cut short in between, nothing is lost. */
async function move(desk: Desk, sentence: Sentence, claim: Claim, successor: Instrument): Promise<void> {
  const { owner } = claim;
  const there = await desk.repository.load(successor.instrument_token);
  const isThere =
    there?.record.status === 'active' &&
    there.record.instrument.tradingsymbol === successor.tradingsymbol &&
    there.claims.some((other) => other.owner === owner);
  if (!isThere) await claimOn(desk, { owner, mode: claim.mode, instrument: successor }, sentence);
  await release(desk, sentence, claim);
}

async function claimOn(
  { subscriber }: Desk,
  wish: Omit<Parameters<Desk['subscriber']['subscribe']>[0], 'accountId'>,
  { record }: Sentence,
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
