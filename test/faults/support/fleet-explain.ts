import type { TickChannel } from '#shared/messages/channels.ts';
import type { DroppedTicks, FleetHealthWatch } from './fleet-health.ts';
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
  readonly dropped: number;
  readonly health: number;
  readonly unexplained: readonly MissingTick[];
}

/** A round's ticks carry its beginning and leave within the second after it; an account's links may be apart by more. */
const APART_MS = 3_000;

/** What readers were told by envelopes, and anybody by health and metrics. */
export interface Evidence {
  readonly reader: Pick<FleetReader, 'told' | 'leaseChanges' | 'firsts'>;
  readonly health: Pick<FleetHealthWatch, 'dropped' | 'isQuiet'>;
}

/** A number of ticks that were said to be lost within a time; each accounts for one. */
class Budget<T> {
  readonly #entries: { readonly of: T; left: number }[];

  constructor(entries: readonly { readonly of: T; readonly ticks: number }[]) {
    this.#entries = entries.map(({ of, ticks }) => ({ of, left: ticks }));
  }

  /** Takes one from the first that covers it. @returns whether there was one */
  take(covers: (of: T) => boolean): boolean {
    const entry = this.#entries.find(({ of, left }) => left > 0 && covers(of));
    if (entry === undefined) return false;
    entry.left -= 1;
    return true;
  }
}

/**
 * What accounts for each missing tick, asked in this order: between the newest tick of a lease and the instrument's first
 * tick of the next; in a hole of the sequence; folded, or counted as rejected or discarded, at most as many as were said; in a
 * second for which health said that the account's ticks did not flow.
 */
export function explain(
  missing: readonly MissingTick[],
  ownerOf: (token: number) => Owner,
  { reader, health }: Evidence,
): Explained {
  const found = { lease: 0, hole: 0, folded: 0, dropped: 0, health: 0 };
  const unexplained: MissingTick[] = [];
  const holes = reader.told.filter(({ type }) => type === 'hole');
  const folded = new Budget(
    reader.told.flatMap((told) => (told.type === 'folded' ? [{ of: told, ticks: told.ticks }] : [])),
  );
  const dropped = new Budget(health.dropped.map((each) => ({ of: each, ticks: each.ticks })));
  for (const tick of missing) {
    const owner = ownerOf(tick.token);
    const isTold = (told: Told) => told.channel === owner.channel && isWithin(told, owner, tick.timeS);
    if (isOfLeaseChange(tick, owner, reader)) found.lease += 1;
    else if (holes.some(isTold)) found.hole += 1;
    else if (folded.take(isTold)) found.folded += 1;
    else if (dropped.take((each) => isWithin(each, owner, tick.timeS))) found.dropped += 1;
    else if (health.isQuiet(owner.account_id, tick.timeS)) found.health += 1;
    else unexplained.push(tick);
  }
  return { ...found, unexplained };
}

type Window = Pick<DroppedTicks, 'account_id' | 'fromMs' | 'toMs'>;

function isWithin({ account_id, fromMs, toMs }: Window, owner: Owner, timeS: number): boolean {
  return account_id === owner.account_id && timeS * 1_000 >= fromMs - APART_MS && timeS * 1_000 <= toMs;
}

function isOfLeaseChange(
  { token, timeS }: MissingTick,
  { account_id }: Owner,
  reader: Evidence['reader'],
): boolean {
  const timeMs = timeS * 1_000;
  return reader.leaseChanges.some((change) => {
    if (change.account_id !== account_id || timeMs < change.fromMs - APART_MS) return false;
    const first = reader.firsts.get(token)?.find(({ lease }) => lease >= change.after);
    return first === undefined || timeMs <= first.tsMs;
  });
}

/** How far around the first missing tick a story looks. */
const STORY_MS = 10_000;
const STORY_LINES = 40;

/** Missing ticks by account, channel and second, and what was told around the first of them. */
export function storyOf(
  missing: readonly MissingTick[],
  ownerOf: (token: number) => Owner,
  { reader, health }: Evidence,
): string[] {
  const [first] = missing;
  if (first === undefined) return [];
  const placeOf = ({ token, timeS }: MissingTick) => {
    const { account_id, channel } = ownerOf(token);
    return `${account_id} ${channel} ${new Date(timeS * 1_000).toISOString()}`;
  };
  const places = [...Map.groupBy(missing, placeOf)].map(([place, { length }]) => `${place}: ${length}`);
  const firstMs = first.timeS * 1_000;
  const isNear = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) =>
    fromMs < firstMs + STORY_MS && toMs > firstMs - STORY_MS;
  const near = [...reader.told, ...reader.leaseChanges, ...health.dropped].filter(isNear);
  return [...places.slice(0, STORY_LINES), ...near.slice(0, STORY_LINES).map((each) => JSON.stringify(each))];
}
