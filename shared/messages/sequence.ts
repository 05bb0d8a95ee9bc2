import type { TickEnvelope } from './envelope.ts';

/** Envelopes that were published and not seen, both ends included. Over a change of lease `from` is of the older one. */
export interface Gap {
  readonly from: { readonly lease: number; readonly seq: number };
  readonly to: { readonly lease: number; readonly seq: number };
}

export type Verdict =
  | { readonly kind: 'next' }
  | { readonly kind: 'after_gap'; readonly gap: Gap }
  /** Seen before, or of a publisher that has lost its lease. */
  | { readonly kind: 'drop' };

type Position = Pick<TickEnvelope, 'lease' | 'seq'>;

/** -1, 0 or 1: leases first, then numbers within them. */
export function comparePositions(a: Position, b: Position): number {
  return Math.sign(a.lease - b.lease || a.seq - b.seq);
}

/** Where a reader stands in each account's channel; says of every envelope what it means. */
export class Sequence {
  readonly #positions = new Map<string, Position>();

  /** The first envelope of a stream is where its reading starts. */
  judge(
    channel: string,
    { account_id, lease, seq }: Pick<TickEnvelope, 'account_id' | 'lease' | 'seq'>,
  ): Verdict {
    const key = `${channel}:${account_id}`;
    const before = this.#positions.get(key);
    if (before !== undefined && comparePositions({ lease, seq }, before) <= 0) return { kind: 'drop' };
    this.#positions.set(key, { lease, seq });
    if (before === undefined) return { kind: 'next' };
    const expected = before.lease === lease ? before.seq + 1 : 1;
    if (seq === expected) return { kind: 'next' };
    const from = { lease: before.lease, seq: before.seq + 1 };
    return { kind: 'after_gap', gap: { from, to: { lease, seq: seq - 1 } } };
  }
}

/** Least number of envelopes that a gap hides; over a change of lease the older one's tail is unknown. */
export function gapLength({ from, to }: Gap): number {
  return from.lease === to.lease ? to.seq - from.seq + 1 : to.seq;
}
