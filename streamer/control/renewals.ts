import { within } from '#shared/within.ts';
import { type HeldLease, stampOf } from './held-lease.ts';
import type { LeaseKeeperParts, LeaseKeeperSettings } from './leases.ts';

export interface RenewalsKeeper {
  isHeld(held: HeldLease): boolean;
  isGood(held: HeldLease): boolean;
  /** It is another one's, or good for nothing. */
  onGone(held: HeldLease): void;
}

/** Signs of life for leases held, at the table or, while that does not answer, by what Redis knows. */
export class Renewals {
  readonly #settings: Pick<LeaseKeeperSettings, 'holder' | 'renewMs'>;
  readonly #parts: Pick<LeaseKeeperParts, 'leases' | 'fence' | 'clock'>;
  readonly #keeper: RenewalsKeeper;

  constructor(
    settings: Pick<LeaseKeeperSettings, 'holder' | 'renewMs'>,
    parts: Pick<LeaseKeeperParts, 'leases' | 'fence' | 'clock'>,
    keeper: RenewalsKeeper,
  ) {
    this.#settings = settings;
    this.#parts = parts;
    this.#keeper = keeper;
  }

  async renew(held: HeldLease): Promise<void> {
    if (held.isRenewing || held.isEnding) return;
    held.isRenewing = true;
    try {
      const asked = stampOf(this.#parts.clock);
      const isHeld = await this.#askTable(held);
      if (!this.#keeper.isHeld(held)) return;
      if (!isHeld) this.#keeper.onGone(held);
      else await this.#confirm(held, asked);
    } catch (error) {
      await this.#confirmByFence(held);
      throw error;
    } finally {
      held.isRenewing = false;
    }
  }

  #askTable({ lease }: HeldLease): Promise<boolean> {
    const { renewMs, holder } = this.#settings;
    return within(renewMs, 'a renewal', this.#parts.leases.renew(lease, holder));
  }

  async #confirm(held: HeldLease, asked: ReturnType<typeof stampOf>): Promise<void> {
    held.confirm(asked);
    const { accountId, lease } = held.lease;
    const standing = await this.#parts.fence.raise(accountId, lease).catch(() => lease);
    if (standing > lease && this.#keeper.isHeld(held)) {
      // The table is younger than Redis: with this number nothing would be published.
      this.#keeper.onGone(held);
      await this.#parts.leases.release(held.lease, this.#settings.holder);
    }
  }

  /**
   * The table does not answer. Whoever took the lease meanwhile has written so to Redis, and Redis takes nothing more
   * under this number; as long as it stands there, streaming goes on.
   */
  async #confirmByFence(held: HeldLease): Promise<void> {
    const { fence, clock } = this.#parts;
    const { accountId, lease } = held.lease;
    const asked = stampOf(clock);
    try {
      // Only who never lost sight of its lease may write down what a Redis that was emptied forgot.
      const standing = this.#keeper.isGood(held)
        ? await fence.raise(accountId, lease)
        : (await fence.readAll()).get(accountId);
      if (!this.#keeper.isHeld(held)) return;
      if (standing === lease) held.confirm(asked);
      else if (standing !== undefined) this.#keeper.onGone(held);
    } catch {
      // Without Redis nothing is published either; the lease runs out unless one of the two comes back.
    }
  }
}
