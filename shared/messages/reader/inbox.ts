import type { Snapshot } from '../../market/snapshot.ts';
import type { TickChannel } from '../channels.ts';
import type { TickEnvelope } from '../envelope.ts';
import { streamKey } from './positions.ts';
import { Sequence, type Verdict } from './sequence.ts';

/** An envelope that waits for the consumer, or several that were folded into one. */
export interface Waiting extends TickEnvelope {
  readonly channel: TickChannel;
  /** Number of the first envelope in it; `seq` is the last one's. */
  readonly first_seq: number;
  /** Ticks that were replaced here because the consumer is slow. */
  readonly reader_folded: number;
  /** Whether it follows the one before it without a hole. */
  readonly isNext: boolean;
  /** Whether nothing of an earlier lease can be missing before it. */
  readonly isTailKnown: boolean;
}

const MAX_ENVELOPES = 10_000;

/**
 * Takes envelopes as they arrive, in bounded memory. Past `maxTicks` only the newest tick of each instrument is kept
 * and the others are counted. What stands before a hole is then let go too: with the hole it is one larger hole, which
 * is read again from the log or made up for by last values.
 */
export class Inbox {
  readonly #maxTicks: number;
  readonly #sequence = new Sequence();
  #items: Waiting[] = [];
  #taken = 0;
  #ticks = 0;
  #foldAtTicks: number;

  constructor(maxTicks: number) {
    this.#maxTicks = maxTicks;
    this.#foldAtTicks = maxTicks;
  }

  get isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  sawLease(account_id: string, lease: number): void {
    this.#sequence.sawLease(account_id, lease);
  }

  interrupted(): void {
    this.#sequence.interrupted();
  }

  put(channel: TickChannel, envelope: TickEnvelope): Verdict {
    const { account_id, lease, seq } = envelope;
    const verdict = this.#sequence.judge({ channel, account_id, lease, seq });
    if (verdict.kind === 'double' || verdict.kind === 'old_lease') return verdict;
    this.#items.push({
      ...envelope,
      channel,
      first_seq: seq,
      reader_folded: 0,
      isNext: verdict.kind === 'next',
      isTailKnown: verdict.isTailKnown,
    });
    this.#ticks += envelope.ticks.length;
    const waiting = this.#items.length - this.#taken;
    if (this.#ticks > this.#foldAtTicks || waiting > MAX_ENVELOPES) this.#fold();
    return verdict;
  }

  take(): Waiting | undefined {
    const item = this.#items[this.#taken];
    if (item === undefined) return undefined;
    this.#taken += 1;
    this.#ticks -= item.ticks.length;
    // Cut now and then: shifting one by one copies the whole array each time.
    if (this.#taken >= 1_024 || this.isEmpty) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  #fold(): void {
    this.#items = foldWaiting(this.#items.slice(this.#taken));
    this.#taken = 0;
    this.#ticks = this.#items.reduce((sum, item) => sum + item.ticks.length, 0);
    // With more instruments than the bound every envelope would fold everything again.
    this.#foldAtTicks = Math.max(this.#maxTicks, 2 * this.#ticks);
  }
}

interface Merging {
  readonly last: Waiting;
  first: Waiting;
  folded: number;
  readerFolded: number;
  /** Newest first. */
  readonly ticks: Snapshot[];
}

/** One envelope for each stream and lease, with the newest tick of each instrument over all streams. */
export function foldWaiting(items: readonly Waiting[]): Waiting[] {
  const seen = new Set<number>();
  const open = new Map<string, Merging>();
  /** Streams whose older envelopes lie before a hole. */
  const closed = new Set<string>();
  const merged: Merging[] = [];
  for (const item of items.toReversed()) {
    const key = streamKey(item);
    if (closed.has(key)) continue;
    let merging = open.get(key);
    if (merging === undefined || merging.last.lease !== item.lease) {
      merging = { last: item, first: item, folded: 0, readerFolded: 0, ticks: [] };
      open.set(key, merging);
      merged.push(merging);
    }
    mergeInto(merging, item, seen);
    if (!item.isNext) closed.add(key);
  }
  return merged.toReversed().map(toWaiting);
}

function mergeInto(merging: Merging, item: Waiting, seen: Set<number>): void {
  merging.first = item;
  merging.folded += item.folded;
  merging.readerFolded += item.reader_folded;
  for (const tick of item.ticks.toReversed()) {
    if (seen.has(tick.instrument_token)) merging.readerFolded += 1;
    else {
      seen.add(tick.instrument_token);
      merging.ticks.push(tick);
    }
  }
}

function toWaiting({ last, first, folded, readerFolded, ticks }: Merging): Waiting {
  const { first_seq, isNext, isTailKnown } = first;
  return {
    ...last,
    first_seq,
    folded,
    reader_folded: readerFolded,
    ticks: ticks.toReversed(),
    isNext,
    isTailKnown,
  };
}
