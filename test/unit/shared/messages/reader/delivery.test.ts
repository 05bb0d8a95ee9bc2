import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LastValue, TickEnvelope } from '#shared/messages/envelope.ts';
import { Delivery, type Stream, type TickStore } from '#shared/messages/reader/delivery.ts';
import type { ReadEvent } from '#shared/messages/reader/events.ts';
import { Inbox } from '#shared/messages/reader/inbox.ts';
import { comparePositions, type Position } from '#shared/messages/reader/positions.ts';
import { envelopeOf } from './envelopes.ts';

const KEY = 'equities:primary';

/** What a publisher leaves in Redis. */
class Kept implements TickStore {
  readonly hash = new Map<number, LastValue>();
  readonly entries: TickEnvelope[] = [];
  upTo: Position | undefined;

  async positions() {
    return new Map(this.upTo === undefined ? [] : [[KEY, this.upTo]]);
  }

  async lastValues() {
    return [...this.hash.values()];
  }

  async *log(_stream: Stream, from: Position, before: Position | undefined) {
    yield* this.entries.filter(
      (each) =>
        comparePositions(each, from) >= 0 && (before === undefined || comparePositions(each, before) < 0),
    );
  }

  /** The hash as the publisher writes it: values first, then up to where they are complete. */
  write(envelopes: readonly TickEnvelope[]): void {
    for (const { account_id, lease, seq, ticks } of envelopes) {
      for (const tick of ticks) this.hash.set(tick.instrument_token, { account_id, lease, seq, tick });
    }
    const last = envelopes.at(-1);
    if (last !== undefined) this.upTo = { lease: last.lease, seq: last.seq };
  }
}

interface Step {
  readonly prices: Record<number, number>;
  readonly isNewLease: boolean;
  /** How often the reader hears it. */
  readonly copies: number;
  readonly isLogged: boolean;
  readonly isOldOneHeard: boolean;
  readonly isTaken: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  prices: fc.dictionary(fc.constantFrom('1', '2', '3', '4'), fc.integer({ min: 1, max: 1_000 }), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
  isNewLease: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  copies: fc.constantFrom(0, 1, 1, 1, 2),
  isLogged: fc.boolean(),
  isOldOneHeard: fc.boolean(),
  isTaken: fc.boolean(),
});

function published(steps: readonly Step[]): TickEnvelope[] {
  let at = { lease: 1, seq: 0 };
  return steps.map(({ prices, isNewLease }, index) => {
    at = isNewLease && index > 0 ? { lease: at.lease + 2, seq: 1 } : { lease: at.lease, seq: at.seq + 1 };
    return envelopeOf(at.seq, prices, { lease: at.lease, ts: index + 1 });
  });
}

function newDelivery(store: TickStore, from: 'live' | 'last_values'): Delivery {
  return new Delivery({ channels: ['equities'], tokens: undefined, from, healTimeoutMs: 1_000 }, store);
}

async function collect(events: AsyncGenerator<ReadEvent, unknown>, into: ReadEvent[]): Promise<void> {
  for await (const event of events) into.push(event);
}

function picture(events: readonly ReadEvent[]): Map<number, number> {
  const ticks = events.flatMap((event) => (event.type === 'ticks' ? event.ticks : []));
  return new Map(ticks.map((tick) => [tick.instrument_token, tick.ltp]));
}

/** Plays a publisher, a lossy way, and a reader that takes now and then. */
async function play(
  steps: readonly Step[],
  start: number,
  hashAt: number,
  maxTicks: number,
  trimmed: boolean,
) {
  const envelopes = published(steps);
  const store = new Kept();
  const events: ReadEvent[] = [];
  const inbox = new Inbox(maxTicks);
  const delivery = newDelivery(store, 'last_values');
  for (const [index, envelope] of envelopes.entries()) if (index < start) store.entries.push(envelope);
  store.write(envelopes.slice(0, Math.min(hashAt, start)));
  // Subscribed at `start`; the hash is read when it may already hold what comes later.
  const take = async () => {
    for (let item = inbox.take(); item !== undefined; item = inbox.take()) {
      await collect(delivery.give(item, 0), events);
    }
  };
  await collect(delivery.start(), events);
  for (const [index, envelope] of envelopes.entries()) {
    if (index < start) continue;
    const each = steps[index]!;
    if (each.isLogged || !trimmed) store.entries.push(envelope);
    // Trimmed from below, as streams are: what is gone takes all before it with it.
    else store.entries.length = 0;
    for (let copy = 0; copy < each.copies; copy += 1) inbox.put('equities', envelope);
    if (each.copies === 0) inbox.interrupted();
    // An old publisher heard before any other is not known to be old.
    const isKnown = steps.slice(start, index + 1).some(({ copies }) => copies > 0);
    if (each.isOldOneHeard && isKnown) inbox.put('equities', envelopeOf(9_999, { 1: -1 }, { lease: 0 }));
    if (each.isTaken) await take();
  }
  const end = { lease: envelopes.at(-1)!.lease, seq: envelopes.at(-1)!.seq + 1 };
  const last = envelopeOf(end.seq, {}, { lease: end.lease, ts: steps.length + 1 });
  inbox.put('equities', last);
  await take();
  store.write([...envelopes, last]);
  await collect(delivery.heal(0), events);
  return { envelopes, events, delivery };
}

const plays = fc.tuple(
  fc.array(step, { minLength: 1, maxLength: 40 }),
  fc.nat(20),
  fc.nat(20),
  fc.constantFrom(3, 10, 1_000),
  fc.boolean(),
);

describe('what a reader is given', () => {
  it('ends in the newest value of every instrument, whatever was lost, doubled or sent by an old publisher', async () => {
    const property = fc.asyncProperty(plays, async ([steps, start, hashAt, maxTicks, trimmed]) => {
      const { envelopes, events, delivery } = await play(steps, start, hashAt, maxTicks, trimmed);
      const expected = new Map(
        envelopes.flatMap(({ ticks }) => ticks.map((tick) => [tick.instrument_token, tick.ltp] as const)),
      );
      expect(picture(events)).toEqual(expected);
      expect(delivery.isHealing).toBe(false);
    });
    await fc.assert(property, { seed: 5, numRuns: 1_000 });
  });

  it('never goes back: times of an instrument only rise, and no envelope comes twice', async () => {
    const property = fc.asyncProperty(plays, async ([steps, start, hashAt, maxTicks, trimmed]) => {
      const { events } = await play(steps, start, hashAt, maxTicks, trimmed);
      const times = new Map<number, number>();
      let at: Position = { lease: 0, seq: 0 };
      for (const event of events) {
        if (event.type !== 'ticks') continue;
        for (const { instrument_token, received_ts } of event.ticks) {
          expect(received_ts).toBeGreaterThan(times.get(instrument_token) ?? -1);
          times.set(instrument_token, received_ts);
        }
        if (event.source === 'last') continue;
        expect(comparePositions(event, at)).toBe(1);
        at = event;
      }
    });
    await fc.assert(property, { seed: 6, numRuns: 1_000 });
  });

  it('accounts for every number after the first: given, or told as lost', async () => {
    const property = fc.asyncProperty(plays, async ([steps, start, hashAt, maxTicks, trimmed]) => {
      const { envelopes, events } = await play(steps, start, hashAt, maxTicks, trimmed);
      const given = new Set<string>();
      const lost: { lease: number; from: number; to: number }[] = [];
      let first: Position | undefined;
      for (const event of events) {
        if (event.type === 'ticks' && event.source !== 'last') {
          first ??= { lease: event.lease, seq: event.first_seq };
          for (let seq = event.first_seq; seq <= event.seq; seq += 1) given.add(`${event.lease}-${seq}`);
        }
        if (event.type === 'gap' && !event.repaired) lost.push({ ...event, to: event.to ?? Infinity });
      }
      const isLost = ({ lease, seq }: Position) =>
        lost.some((gap) => gap.lease === lease && gap.from <= seq && seq <= gap.to);
      for (const envelope of envelopes) {
        if (comparePositions(envelope, first!) < 0) continue;
        const isGiven = given.has(`${envelope.lease}-${envelope.seq}`);
        // A lease between two others that was wholly unheard is part of the open end before it.
        const isBetween = lost.some((gap) => gap.to === Infinity && gap.lease < envelope.lease);
        expect(isGiven || isLost(envelope) || isBetween).toBe(true);
        expect(isGiven && isLost(envelope)).toBe(false);
      }
    });
    await fc.assert(property, { seed: 7, numRuns: 1_000 });
  });

  it('leaves out what the last values already hold, by account', async () => {
    const store = new Kept();
    store.write([envelopeOf(1, { 1: 10 }), envelopeOf(2, { 2: 20 })]);
    // Ahead of what is noted as complete.
    store.write([envelopeOf(4, { 1: 14 })]);
    store.upTo = { lease: 1, seq: 2 };
    const events: ReadEvent[] = [];
    const delivery = newDelivery(store, 'last_values');
    await collect(delivery.start(), events);
    const inbox = new Inbox(100);
    for (const seq of [2, 3, 4, 5]) inbox.put('equities', envelopeOf(seq, { 1: 10 + seq }));
    inbox.put('equities', envelopeOf(1, { 1: 99 }, { account_id: 'other' }));
    for (let item = inbox.take(); item !== undefined; item = inbox.take()) {
      await collect(delivery.give(item, 0), events);
    }
    const ticks = events.flatMap((event) =>
      event.type === 'ticks' ? [[event.seq, event.ticks.map((t) => t.ltp)]] : [],
    );
    expect(ticks).toEqual([
      [0, [14, 20]],
      [3, []],
      [4, []],
      [5, [15]],
      [1, [99]],
    ]);
  });

  it('says so when the hash never catches up with what was lost', async () => {
    const store = new Kept();
    const events: ReadEvent[] = [];
    const delivery = newDelivery(store, 'live');
    const inbox = new Inbox(100);
    for (const seq of [1, 4]) inbox.put('equities', envelopeOf(seq, { 1: seq }));
    for (let item = inbox.take(); item !== undefined; item = inbox.take()) {
      await collect(delivery.give(item, 0), events);
    }
    await collect(delivery.heal(1_000), events);
    expect(events.at(-1)).toMatchObject({ type: 'ticks', seq: 4 });
    await collect(delivery.heal(1_001), events);
    expect(events.filter(({ type }) => type !== 'ticks')).toEqual([
      { type: 'gap', channel: 'equities', account_id: 'primary', lease: 1, from: 2, to: 3, repaired: false },
      {
        type: 'resynced',
        channel: 'equities',
        account_id: 'primary',
        up_to: { lease: 1, seq: 3 },
        complete: false,
      },
    ]);
  });
});
