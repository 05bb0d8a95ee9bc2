import type { Snapshot } from '../market/snapshot.ts';

/** The payload of one PUBLISH on a tick channel: a batch of one account's snapshots of one kind. */
export interface TickEnvelope {
  readonly v: 1;
  readonly account_id: string;
  /** The publisher's lease: readers drop envelopes of a lower one than they have seen for the account. */
  readonly lease: number;
  /** Counts without holes per account, lease and channel, from 1. */
  readonly seq: number;
  /** When it was published, epoch ms of market time. */
  readonly ts: number;
  /** Ticks replaced by newer ones of the same instrument since the envelope before. */
  readonly folded: number;
  readonly ticks: readonly Snapshot[];
}

/** A field of the last-value hash. */
export interface LastValue {
  /** Whose lease it is: leases of different accounts cannot be compared. */
  readonly account_id: string;
  readonly lease: number;
  readonly seq: number;
  readonly tick: Snapshot;
}
