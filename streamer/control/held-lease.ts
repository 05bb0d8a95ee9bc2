import type { Lease } from '#shared/accounts/leases.ts';
import type { SteadyClock } from '#shared/clock.ts';

/** Both clocks of one moment. */
export interface Stamp {
  readonly steadyMs: number;
  readonly wallMs: number;
}

export function stampOf(clock: Pick<SteadyClock, 'steadyMs' | 'wallMs'>): Stamp {
  return { steadyMs: clock.steadyMs(), wallMs: clock.wallMs() };
}

/**
 * A lease in this process's hands. It lasts as long as both clocks say so: the steady one knows nothing of the time in
 * which the whole machine was suspended, and the time of day may be set back.
 */
export class HeldLease {
  readonly lease: Lease;
  /** One renewal at a time. */
  isRenewing = false;
  /** It is being given away: what still streams ends in order. */
  isEnding = false;
  #confirmed: Stamp;

  constructor(lease: Lease, confirmed: Stamp) {
    this.lease = lease;
    this.#confirmed = confirmed;
  }

  get accountId(): string {
    return this.lease.accountId;
  }

  /** `asked`: before the request was sent that confirmed it. */
  confirm(asked: Stamp): void {
    if (asked.steadyMs > this.#confirmed.steadyMs) this.#confirmed = asked;
  }

  isGood(now: Stamp, lastsMs: number): boolean {
    return now.steadyMs - this.#confirmed.steadyMs < lastsMs && now.wallMs - this.#confirmed.wallMs < lastsMs;
  }
}
