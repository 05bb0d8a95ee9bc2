/** Why a frame never reached the queue. */
export type DropReason = 'full' | 'refused' | 'stopped' | 'no_queue';

/** Of one account, since the process began. */
export interface AccountOrderCounts {
  /** Frames and sync requests that the queue took. */
  framesSent: number;
  syncsSent: number;
  /** Frames that another connection had brought before. */
  copies: number;
  malformed: number;
  readonly dropped: Map<DropReason, number>;
}

/** What became of order frames; it outlives the holding of an account. */
export class OrderCounts {
  readonly #accounts = new Map<string, AccountOrderCounts>();

  of(accountId: string): AccountOrderCounts {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const fresh = { framesSent: 0, syncsSent: 0, copies: 0, malformed: 0, dropped: new Map() };
    this.#accounts.set(accountId, fresh);
    return fresh;
  }

  [Symbol.iterator](): Iterator<[string, Readonly<AccountOrderCounts>]> {
    return this.#accounts.entries();
  }
}
