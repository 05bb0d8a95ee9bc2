/** What the choice of an account is made from. */
export interface AccountCandidate {
  readonly account_id: string;
  readonly hasLiveSession: boolean;
  /** Instruments it has promised to stream. */
  readonly reserved: number;
}

/**
 * Accounts that may take another instrument, best first: a live session is needed, then most free capacity;
 * equal ones stand by name, so that two callers choose alike.
 */
export function rankAccounts(candidates: readonly AccountCandidate[], capacity: number): string[] {
  return candidates
    .filter((candidate) => candidate.hasLiveSession && candidate.reserved < capacity)
    .toSorted((a, b) => a.reserved - b.reserved || (a.account_id < b.account_id ? -1 : 1))
    .map((candidate) => candidate.account_id);
}
