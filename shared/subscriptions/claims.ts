import { type FeedMode, higherMode } from '../market/instrument.ts';

/** One owner's part in a subscription. */
export interface Claim {
  readonly owner: string;
  readonly mode: FeedMode;
  /** Market time, ISO 8601. */
  readonly created_at: string;
}

/** What is known of an instrument before a change; undefined where it was never subscribed. */
export interface SubscriptionState {
  readonly status: 'active' | 'removed';
  readonly mode: FeedMode;
  readonly claims: readonly Claim[];
}

/**
 * What a change comes to:
 * `create` the instrument starts to stream, `claim` only the claims change, `mode` claims and the streamed mode change,
 * `remove` the last claim ends, `nothing` all is so already.
 */
export type Plan =
  | { readonly type: 'create'; readonly mode: FeedMode }
  | { readonly type: 'claim' }
  | { readonly type: 'mode'; readonly mode: FeedMode }
  | { readonly type: 'remove' }
  | { readonly type: 'nothing' };

/** The highest mode anybody claims; undefined without claims. */
export function claimedMode(claims: readonly Claim[]): FeedMode | undefined {
  return claims
    .map(({ mode }) => mode)
    .reduce<FeedMode | undefined>(
      (highest, mode) => (highest === undefined ? mode : higherMode(highest, mode)),
      undefined,
    );
}

export function planClaim(state: SubscriptionState | undefined, owner: string, mode: FeedMode): Plan {
  if (state === undefined || state.status === 'removed') return { type: 'create', mode };
  const others = state.claims.filter((claim) => claim.owner !== owner);
  const own = state.claims.find((claim) => claim.owner === owner);
  if (own?.mode === mode) return { type: 'nothing' };
  const wanted = others.reduce((highest, claim) => higherMode(highest, claim.mode), mode);
  return wanted === state.mode ? { type: 'claim' } : { type: 'mode', mode: wanted };
}

/** `nothing` where the owner has no claim. */
export function planRelease(state: SubscriptionState, owner: string): Plan {
  if (state.status === 'removed' || !state.claims.some((claim) => claim.owner === owner)) {
    return { type: 'nothing' };
  }
  const wanted = claimedMode(state.claims.filter((claim) => claim.owner !== owner));
  if (wanted === undefined) return { type: 'remove' };
  return wanted === state.mode ? { type: 'claim' } : { type: 'mode', mode: wanted };
}
