import type { Snapshot } from '../../market/snapshot.ts';
import { CHANNEL_OF_KIND, type TickChannel } from '../channels.ts';
import type { LastValue, TickEnvelope } from '../envelope.ts';
import type { GapEvent, ReadEvent, TicksEvent } from './events.ts';
import type { Waiting } from './inbox.ts';
import { Newest } from './newest.ts';
import { comparePositions, type Missing, missingBetween, type Position, streamKey } from './positions.ts';

/** What Redis keeps besides the channels. */
export interface TickStore {
  /** Up to where the hash of last values is complete, by `streamKey`. */
  positions(): Promise<ReadonlyMap<string, Position>>;
  lastValues(): Promise<readonly LastValue[]>;
  /** The log's envelopes from `from` on, that one included, below `before`. */
  log(stream: Stream, from: Position, before: Position | undefined): AsyncIterable<TickEnvelope>;
}

export interface Stream {
  readonly channel: TickChannel;
  readonly account_id: string;
}

export interface DeliverySettings {
  readonly channels: readonly TickChannel[];
  readonly tokens: ReadonlySet<number> | undefined;
  readonly from: 'last_values' | 'live';
  /** The hash is at most a second behind; one that nobody keeps up to date is not waited for longer. */
  readonly healTimeoutMs: number;
}

interface Given extends Position {
  /** Nothing of the stream was given yet; the last values stand for everything up to here. */
  readonly isStart: boolean;
}

interface Healing {
  readonly stream: Stream;
  readonly upTo: Position;
  readonly deadlineMs: number;
  /** A hole that the consumer was told of, not the way from the last values to the first envelope. */
  readonly isTold: boolean;
}

/** Decides what the consumer is given: last values, envelopes without doubles, and what is known of holes. */
export class Delivery {
  readonly #settings: DeliverySettings;
  readonly #store: TickStore;
  readonly #newest = new Newest();
  readonly #given = new Map<string, Given>();
  readonly #healing = new Map<string, Healing>();

  constructor(settings: DeliverySettings, store: TickStore) {
    this.#settings = settings;
    this.#store = store;
  }

  /** Whether `heal` has something to wait for. */
  get isHealing(): boolean {
    return this.#healing.size > 0;
  }

  /** The last values. Call it when envelopes are already being collected; @returns the leases seen. */
  async *start(): AsyncGenerator<ReadEvent, ReadonlyMap<string, Position>> {
    // The positions first: what the hash holds when it is read later is at least that.
    const positions = await this.#store.positions();
    for (const [key, position] of positions) this.#given.set(key, { ...position, isStart: true });
    yield* this.#values(this.#settings.channels);
    return positions;
  }

  async *give(item: Waiting, nowMs: number): AsyncGenerator<ReadEvent> {
    const first = { lease: item.lease, seq: item.first_seq };
    const given = this.#given.get(streamKey(item));
    if (given === undefined) this.#beginStream(item, first, nowMs);
    else {
      if (comparePositions(item, given) <= 0) return;
      if (missingBetween(given, first, item.isTailKnown).length > 0) {
        yield* this.#fill(item, given, first, item.isTailKnown, nowMs);
      }
    }
    const { isNext, isTailKnown, ...envelope } = item;
    yield this.#ticks(envelope, 'live');
  }

  /** Envelopes of a stream that went quiet which the log has and the channel did not bring. */
  async *tail(stream: Stream, nowMs: number): AsyncGenerator<ReadEvent> {
    const given = this.#given.get(streamKey(stream));
    if (given !== undefined) yield* this.#fill(stream, given, undefined, true, nowMs);
  }

  /** Once the hash has caught up with what was lost: the values that are newer than those given. */
  async *heal(nowMs: number): AsyncGenerator<ReadEvent> {
    const positions = await this.#store.positions();
    const isDone = (key: string, { upTo }: Healing) =>
      comparePositions(positions.get(key) ?? { lease: 0, seq: 0 }, upTo) >= 0;
    const ripe = [...this.#healing].filter(([key, each]) => isDone(key, each) || nowMs > each.deadlineMs);
    if (ripe.length === 0) return;
    for (const [key] of ripe) this.#healing.delete(key);
    yield* this.#values([...new Set(ripe.map(([, { stream }]) => stream.channel))]);
    for (const [key, healing] of ripe) {
      const { channel, account_id } = healing.stream;
      const complete = isDone(key, healing);
      if (healing.isTold || !complete) {
        yield { type: 'resynced', channel, account_id, up_to: healing.upTo, complete };
      }
    }
  }

  #beginStream(stream: Stream, first: Position, nowMs: number): void {
    // Also before a first envelope: a lease before it may have left what the hash did not have yet.
    if (this.#settings.from === 'last_values') this.#healUpTo(stream, first, false, nowMs);
  }

  #healUpTo({ channel, account_id }: Stream, before: Position, isTold: boolean, nowMs: number): void {
    const upTo = { lease: before.lease, seq: before.seq - 1 };
    const deadlineMs = nowMs + this.#settings.healTimeoutMs;
    const key = streamKey({ channel, account_id });
    const told = isTold || this.#healing.get(key)?.isTold === true;
    this.#healing.set(key, { stream: { channel, account_id }, upTo, deadlineMs, isTold: told });
  }

  /** Reads the hole from the log as far as it goes; the rest is told and healed. */
  async *#fill(
    stream: Stream,
    after: Given,
    before: Position | undefined,
    isTailKnown: boolean,
    nowMs: number,
  ): AsyncGenerator<ReadEvent> {
    const isTold = !after.isStart;
    const tell = (missing: readonly Missing[], repaired: boolean) =>
      isTold ? missing.map((each) => gapEvent(stream, each, repaired)) : [];
    let at: Position = after;
    let repaired: Missing | undefined;
    // With the last envelope that was given still in it, the log has everything that came after.
    let isUnbroken = isTailKnown;
    let isLost = false;
    for await (const envelope of this.#store.log(stream, after, before)) {
      if (comparePositions(envelope, after) <= 0) {
        isUnbroken = true;
        continue;
      }
      const missing = missingBetween(at, envelope, isUnbroken);
      isUnbroken = true;
      isLost ||= missing.length > 0;
      if (repaired !== undefined && (missing.length > 0 || repaired.lease !== envelope.lease)) {
        yield* tell([repaired], true);
        repaired = undefined;
      }
      yield* tell(missing, false);
      yield this.#ticks({ ...envelope, ...waitingFields(stream, envelope) }, 'log');
      repaired = { lease: envelope.lease, from: repaired?.from ?? envelope.seq, to: envelope.seq };
      at = envelope;
    }
    if (repaired !== undefined) yield* tell([repaired], true);
    if (before === undefined) {
      if (isLost) this.#healUpTo(stream, { lease: at.lease, seq: at.seq + 1 }, isTold, nowMs);
      return;
    }
    const rest = missingBetween(at, before, isUnbroken);
    yield* tell(rest, false);
    if (isLost || rest.length > 0) this.#healUpTo(stream, before, isTold, nowMs);
  }

  #ticks(envelope: Omit<TicksEvent, 'type' | 'source'>, source: 'live' | 'log'): TicksEvent {
    const { account_id, lease, seq, ts } = envelope;
    this.#given.set(streamKey(envelope), { lease, seq, isStart: false });
    const head = { account_id, lease, seq, ts };
    const isWanted = ({ instrument_token }: Snapshot) =>
      this.#settings.tokens?.has(instrument_token) !== false && this.#newest.takeLive(instrument_token, head);
    return { ...envelope, type: 'ticks', source, ticks: envelope.ticks.filter(isWanted) };
  }

  async *#values(channels: readonly TickChannel[]): AsyncGenerator<TicksEvent> {
    const ticks = new Map<TickChannel, Snapshot[]>(channels.map((channel) => [channel, []]));
    for (const value of await this.#store.lastValues()) {
      const ofChannel = ticks.get(CHANNEL_OF_KIND[value.tick.type]);
      if (ofChannel !== undefined && this.#newest.takeLast(value)) ofChannel.push(value.tick);
    }
    for (const [channel, ofChannel] of ticks) if (ofChannel.length > 0) yield lastEvent(channel, ofChannel);
  }
}

function lastEvent(channel: TickChannel, ticks: readonly Snapshot[]): TicksEvent {
  const ts = ticks.reduce((newest, tick) => Math.max(newest, tick.received_ts), 0);
  const head = {
    v: 1,
    account_id: '',
    lease: 0,
    seq: 0,
    first_seq: 0,
    ts,
    folded: 0,
    reader_folded: 0,
  } as const;
  return { ...head, type: 'ticks', source: 'last', channel, ticks };
}

function waitingFields({ channel }: Stream, { seq }: TickEnvelope) {
  return { channel, first_seq: seq, reader_folded: 0 };
}

function gapEvent({ channel, account_id }: Stream, missing: Missing, repaired: boolean): GapEvent {
  return { type: 'gap', channel, account_id, ...missing, repaired };
}
