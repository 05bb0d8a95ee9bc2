import type { TickChannel } from '../channels.ts';
import { comparePositions, missingBetween, type Position, streamKey } from './positions.ts';

export interface Arrival extends Position {
  readonly channel: TickChannel;
  readonly account_id: string;
}

export type Verdict =
  /** `isTailKnown`: nothing of an earlier lease can be missing before this one. */
  | { readonly kind: 'next'; readonly isTailKnown: boolean }
  | { readonly kind: 'after_gap'; readonly isTailKnown: boolean }
  | { readonly kind: 'double' }
  | { readonly kind: 'old_lease'; readonly newest: number };

/** Where the incoming envelopes of each account and channel stand; says of every one what it means. */
export class Sequence {
  readonly #positions = new Map<string, Position>();
  readonly #leases = new Map<string, number>();
  readonly #tailUnknown = new Set<string>();

  /** A lease of the account is known from elsewhere: envelopes of lower ones are old. */
  sawLease(account_id: string, lease: number): void {
    if (lease > (this.#leases.get(account_id) ?? 0)) this.#leases.set(account_id, lease);
  }

  /** Nothing was heard for a while: a lease may have ended unheard. */
  interrupted(): void {
    for (const key of this.#positions.keys()) this.#tailUnknown.add(key);
  }

  /** The first envelope of a stream is where its reading starts. */
  judge(arrival: Arrival): Verdict {
    const { account_id, lease, seq } = arrival;
    const newest = this.#leases.get(account_id) ?? 0;
    if (lease < newest) return { kind: 'old_lease', newest };
    this.sawLease(account_id, lease);
    const key = streamKey(arrival);
    const before = this.#positions.get(key);
    if (before !== undefined && comparePositions(arrival, before) <= 0) return { kind: 'double' };
    const isInterrupted = this.#tailUnknown.delete(key);
    this.#positions.set(key, { lease, seq });
    if (before === undefined) return { kind: 'next', isTailKnown: false };
    // A new lease that is not heard from its first envelope shows that something went unheard.
    const isTailKnown = !isInterrupted && (before.lease === lease || seq === 1);
    const isNext = missingBetween(before, arrival, isTailKnown).length === 0;
    return { kind: isNext ? 'next' : 'after_gap', isTailKnown };
  }
}
