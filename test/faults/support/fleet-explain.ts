import type { TickChannel } from '#shared/messages/channels.ts';
import type { FleetReader, Told } from './fleet-reader.ts';

export interface MissingTick {
  readonly token: number;
  /** Exchange time. */
  readonly timeS: number;
}

export interface Owner {
  readonly account_id: string;
  readonly channel: TickChannel;
}

/** Ticks missing at the reader by what told of them; `unexplained` must be empty. */
export interface Explained {
  readonly lease: number;
  readonly hole: number;
  readonly folded: number;
  readonly health: number;
  readonly unexplained: readonly MissingTick[];
}

/** A round's ticks carry its beginning, leave within the second after it, and may wait for a batch. */
const ROUND_MS = 2_000;

type Evidence = Pick<FleetReader, 'told' | 'leaseChanges' | 'firsts'>;

/**
 * What accounts for each missing tick, asked in this order: between the last envelope of a lease and the instrument's
 * first tick of the next; in a hole of the sequence; folded, at most as many as the envelopes said; in a second for
 * which health said that the account's ticks did not flow.
 */
export function explain(
  missing: readonly MissingTick[],
  ownerOf: (token: number) => Owner,
  reader: Evidence,
  isQuiet: (accountId: string, second: number) => boolean,
): Explained {
  const found = { lease: 0, hole: 0, folded: 0, health: 0 };
  const unexplained: MissingTick[] = [];
  const foldedLeft = reader.told.flatMap((told) =>
    told.type === 'folded' ? [{ told, left: told.ticks }] : [],
  );
  const holes = reader.told.filter((told) => told.type === 'hole');
  for (const tick of missing) {
    const owner = ownerOf(tick.token);
    const isCovered = (told: Told) => isWithin(told, owner, tick.timeS);
    const folds = foldedLeft.find(({ told, left }) => left > 0 && isCovered(told));
    if (isOfLeaseChange(tick, owner, reader)) found.lease += 1;
    else if (holes.some(isCovered)) found.hole += 1;
    else if (folds !== undefined) {
      folds.left -= 1;
      found.folded += 1;
    } else if (isQuiet(owner.account_id, tick.timeS)) found.health += 1;
    else unexplained.push(tick);
  }
  return { ...found, unexplained };
}

function isWithin(told: Told, owner: Owner, timeS: number): boolean {
  const { account_id, channel, fromMs, toMs } = told;
  const isOwn = account_id === owner.account_id && channel === owner.channel;
  return isOwn && timeS * 1_000 >= fromMs - ROUND_MS && timeS * 1_000 <= toMs;
}

function isOfLeaseChange({ token, timeS }: MissingTick, { account_id }: Owner, reader: Evidence): boolean {
  const timeMs = timeS * 1_000;
  return reader.leaseChanges.some((change) => {
    if (change.account_id !== account_id || timeMs < change.fromMs - ROUND_MS) return false;
    const first = reader.firsts.get(token)?.find(({ lease }) => lease >= change.after);
    return first === undefined || timeMs <= first.tsMs;
  });
}
