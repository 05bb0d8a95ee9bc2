import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEED_MODES, type FeedMode } from '#shared/market/instrument.ts';
import {
  type Claim,
  claimedMode,
  type Plan,
  planClaim,
  planRelease,
  type SubscriptionState,
} from '#shared/subscriptions/claims.ts';

const AT = '2026-08-18T05:00:00.000Z';
const claim = (owner: string, mode: FeedMode): Claim => ({ owner, mode, created_at: AT });
const active = (mode: FeedMode, ...claims: Claim[]): SubscriptionState => ({
  status: 'active',
  mode,
  claims,
});

describe('a claim', () => {
  it('creates what was never there, and what was removed', () => {
    expect(planClaim(undefined, 'a', 'quote')).toEqual({ type: 'create', mode: 'quote' });
    const removed: SubscriptionState = { status: 'removed', mode: 'full', claims: [] };
    expect(planClaim(removed, 'a', 'ltp')).toEqual({ type: 'create', mode: 'ltp' });
  });

  it('that is there already changes nothing', () => {
    expect(planClaim(active('full', claim('a', 'full')), 'a', 'full')).toEqual({ type: 'nothing' });
  });

  it('of another owner in a lower mode leaves the stream as it is', () => {
    expect(planClaim(active('full', claim('a', 'full')), 'b', 'ltp')).toEqual({ type: 'claim' });
  });

  it('of another owner in a higher mode raises the stream', () => {
    expect(planClaim(active('ltp', claim('a', 'ltp')), 'b', 'full')).toEqual({ type: 'mode', mode: 'full' });
  });

  it('that its owner lowers lowers the stream to what the others need', () => {
    const state = active('full', claim('a', 'full'), claim('b', 'quote'));
    expect(planClaim(state, 'a', 'ltp')).toEqual({ type: 'mode', mode: 'quote' });
  });
});

describe('the end of a claim', () => {
  it('of nobody is nothing', () => {
    expect(planRelease(active('full', claim('a', 'full')), 'b')).toEqual({ type: 'nothing' });
    expect(planRelease({ status: 'removed', mode: 'full', claims: [] }, 'a')).toEqual({ type: 'nothing' });
  });

  it('that was the last ends the stream', () => {
    expect(planRelease(active('full', claim('a', 'full')), 'a')).toEqual({ type: 'remove' });
  });

  it('that was the highest lowers the stream', () => {
    const state = active('full', claim('a', 'full'), claim('b', 'ltp'));
    expect(planRelease(state, 'a')).toEqual({ type: 'mode', mode: 'ltp' });
  });
});

/** What the writer makes of a plan. */
function applied(
  state: SubscriptionState | undefined,
  plan: Plan,
  claims: readonly Claim[],
): SubscriptionState {
  switch (plan.type) {
    case 'create':
      return { status: 'active', mode: plan.mode, claims };
    case 'mode':
      return { status: 'active', mode: plan.mode, claims };
    case 'remove':
      return { status: 'removed', mode: state!.mode, claims };
    case 'claim':
      return { ...state!, claims };
    case 'nothing':
      return state!;
  }
}

const owners = fc.constantFrom('a', 'b', 'c', 'd');
const steps = fc.array(
  fc.oneof(
    fc.record({ owner: owners, mode: fc.constantFrom(...FEED_MODES) }),
    fc.record({ owner: owners, mode: fc.constant(undefined) }),
  ),
  { maxLength: 40 },
);

describe('any sequence of claims and ends', () => {
  it('streams in the highest mode claimed, exactly while somebody claims', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let state: SubscriptionState | undefined;
        const wanted = new Map<string, FeedMode>();
        for (const { owner, mode } of sequence) {
          if (mode === undefined && state === undefined) continue;
          const plan = mode === undefined ? planRelease(state!, owner) : planClaim(state, owner, mode);
          if (mode === undefined) wanted.delete(owner);
          else wanted.set(owner, mode);
          const claims = [...wanted].map(([name, claimed]) => claim(name, claimed));
          state = applied(state, plan, claims);
          expect(state.status).toBe(wanted.size > 0 ? 'active' : 'removed');
          if (wanted.size > 0) expect(state.mode).toBe(claimedMode(claims));
          expect([...state.claims].map(({ owner: name }) => name).sort()).toEqual([...wanted.keys()].sort());
        }
      }),
      { seed: 42, numRuns: 500 },
    );
  });
});
