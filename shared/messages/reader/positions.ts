/** A place in the sequence of one account and channel: the publisher's lease, and its number within that lease. */
export interface Position {
  readonly lease: number;
  readonly seq: number;
}

/** Envelopes of one lease that were not received, both ends included. `to` is null where nobody knows how many. */
export interface Missing {
  readonly lease: number;
  readonly from: number;
  readonly to: number | null;
}

/** -1, 0 or 1: leases first, then numbers within them. */
export function comparePositions(a: Position, b: Position): number {
  return Math.sign(a.lease - b.lease || a.seq - b.seq);
}

/**
 * What lies between two positions that follow each other in what is known.
 * @param isTailKnown whether nothing of the earlier lease can have come after `after`
 */
export function missingBetween(after: Position, before: Position, isTailKnown: boolean): Missing[] {
  if (after.lease === before.lease) return range(after.lease, after.seq + 1, before.seq - 1);
  const tail = isTailKnown ? [] : [{ lease: after.lease, from: after.seq + 1, to: null }];
  return [...tail, ...range(before.lease, 1, before.seq - 1)];
}

function range(lease: number, from: number, to: number): Missing[] {
  return from <= to ? [{ lease, from, to }] : [];
}

/** `<lease>-<seq>`: how positions are written in `last:seq` and as ids of the log's entries. */
export function parsePosition(text: string): Position | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  return match === null ? undefined : { lease: Number(match[1]), seq: Number(match[2]) };
}

export function streamKey(stream: { readonly channel: string; readonly account_id: string }): string {
  return `${stream.channel}:${stream.account_id}`;
}
