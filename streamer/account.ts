import type { AccountSource } from '#shared/accounts/types.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { istDay, istMs } from '#shared/market/calendar.ts';
import { type FeedMode, hasSameTerms, kindOf } from '#shared/market/instrument.ts';
import type { TickChannel } from '#shared/messages/channels.ts';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import type { DriftCounts } from './control/drift.ts';
import { repairPool } from './control/pool-drift.ts';
import type { GatedTarget } from './day/gate.ts';
import { Book, type BookSettings } from './enrich/book.ts';
import { Pricer } from './enrich/pricer.ts';
import type { Slot } from './enrich/slot.ts';
import { resetBaseline, type ValidationSettings } from './enrich/validate.ts';
import { AccountFeed, type FeedEvents, type FeedSettings } from './feed/account-feed.ts';
import { TickPipeline } from './pipeline.ts';
import { type BatcherSettings, type BatchSink, ChannelBatcher } from './publish/batcher.ts';
import { PayloadPool } from './publish/payload-pool.ts';

export interface AccountSettings {
  readonly book: BookSettings;
  readonly validation: ValidationSettings;
  readonly feed: FeedSettings;
  readonly batcher: BatcherSettings;
}

export interface AccountParts {
  readonly clock: SteadyClock;
  readonly sink: BatchSink;
  readonly accounts: Pick<AccountSource, 'readSession'>;
  readonly random: () => number;
  /** Steady time of the newest tick of the process' other accounts; 0: none. */
  elsewhereMs(): number;
  /** The lease held, or undefined. */
  lease(): number | undefined;
}

export interface AccountEvents extends FeedEvents {
  onChanged(slot: Slot): void;
  onRemoved(token: number): void;
}

/** What options are priced on is subscribed before them, so that already their first tick has a price. */
function underlyingsFirst(rows: readonly AccountSubscription[]): AccountSubscription[] {
  const isUnderlying = (row: AccountSubscription) => kindOf(row.instrument) === 'underlying';
  return [...rows.filter(isUnderlying), ...rows.filter((row) => !isUnderlying(row))];
}

const PRICING_MODE: FeedMode = 'full';

/** Everything that streams one account: its instruments, connections, pricing and batches. */
export class AccountStreamer implements GatedTarget {
  readonly accountId: string;
  readonly pipeline: TickPipeline;
  readonly batchers: Readonly<Record<TickChannel, ChannelBatcher>>;
  readonly pricer: Pricer;
  readonly feed: AccountFeed;
  readonly #settings: AccountSettings;
  readonly #parts: AccountParts;
  readonly #events: AccountEvents;
  readonly #book: Book;
  readonly #pool = new PayloadPool();
  readonly #rows = new Map<number, AccountSubscription>();

  constructor(accountId: string, settings: AccountSettings, parts: AccountParts, events: AccountEvents) {
    this.accountId = accountId;
    this.#settings = settings;
    this.#parts = parts;
    this.#events = events;
    this.#book = new Book(settings.book);
    const batcher = (channel: TickChannel) => this.#newBatcher(channel);
    this.batchers = {
      options: batcher('options'),
      underlying: batcher('underlying'),
      futures: batcher('futures'),
      equities: batcher('equities'),
    };
    this.pricer = new Pricer(settings.book, this.#book.forwards);
    this.pipeline = new TickPipeline(
      {
        clock: parts.clock,
        book: this.#book,
        pricer: this.pricer,
        batchers: this.batchers,
        isSinkIdle: () => parts.sink.isIdle,
        onChanged: (slot) => events.onChanged(slot),
      },
      settings.validation,
    );
    const { clock, random, accounts } = parts;
    this.feed = new AccountFeed(
      settings.feed,
      {
        clock,
        random,
        book: this.#book,
        pipeline: this.pipeline,
        readSession: () => accounts.readSession(accountId),
        elsewhereMs: () => parts.elsewhereMs(),
      },
      events,
    );
  }

  start(): void {
    this.feed.start();
  }

  current(): ReadonlyMap<number, AccountSubscription> {
    return this.#rows;
  }

  /** Instruments claimed; those held for pricing alone do not count. */
  get subscriptions(): number {
    return this.#rows.size;
  }

  /** A tick of it went into a batch since it is claimed. */
  hasTicked(token: number): boolean {
    const slot = this.#book.get(token);
    return slot?.published === true && slot.seq > 0;
  }

  /** Everything held, what is there for pricing alone included. */
  get slots(): Iterable<Slot> {
    return this.#book.slots;
  }

  get slotCount(): number {
    return this.#book.size;
  }

  /** What the slot shows differs from the last-value hash. */
  changed(slot: Slot): void {
    this.#events.onChanged(slot);
  }

  /** Changes exactly what is named; everything else goes on untouched. */
  apply(set: readonly AccountSubscription[], removed: readonly number[]): void {
    const modes = new Map<number, FeedMode>();
    const gone = new Set<number>();
    for (const token of removed) this.#withdraw(token, gone, modes);
    for (const row of underlyingsFirst(set)) {
      const known = this.#rows.get(row.instrument_token);
      // A slot keeps what it was made for.
      if (known !== undefined && !hasSameTerms(known.instrument, row.instrument)) {
        this.#withdraw(row.instrument_token, gone, modes);
      }
      this.#rows.set(row.instrument_token, row);
      for (const token of this.#book.publish(row.instrument)) modes.set(token, PRICING_MODE);
      modes.set(row.instrument_token, row.mode);
    }
    for (const token of modes.keys()) gone.delete(token);
    for (const [token, mode] of modes) this.#book.get(token)!.mode = mode;
    this.feed.pool.change(modes, [...gone]);
  }

  /** Reports every instrument that has values of today as changed: what a Redis lost is written again. */
  repeatLastValues(): void {
    const todayMs = istMs(istDay(this.#parts.clock.nowMs()), '00:00');
    for (const slot of this.#book.slots) {
      const hasValues = slot.published && slot.packetLength > 0 && slot.receivedMs >= todayMs;
      if (hasValues && !slot.dirty) this.#events.onChanged(slot);
    }
  }

  /** The connections carry exactly what is held; what differed is counted. */
  repairConnections(): DriftCounts {
    const modes = new Map([...this.#book.slots].map((slot) => [slot.token, slot.mode]));
    return repairPool(this.feed.pool, modes);
  }

  beginSession(): void {
    for (const slot of this.#book.slots) resetBaseline(slot);
  }

  /** How often a connection was lost, refused or replaced, by cause. */
  get downs(): AccountFeed['downs'] {
    return this.feed.downs;
  }

  /** A session with this version exists. */
  sessionChanged(version: number): void {
    this.feed.sessionChanged(version);
  }

  close(): void {
    this.feed.close();
    this.pipeline.flush();
  }

  /** After `close`, where the lease is gone: what waits is given up. @returns how many ticks that was */
  abandon(): number {
    const channels = Object.values(this.batchers);
    const waiting = channels.reduce((sum, { backlog }) => sum + backlog, 0);
    for (const batcher of channels) batcher.abandon();
    return waiting;
  }

  #withdraw(token: number, gone: Set<number>, modes: Map<number, FeedMode>): void {
    if (!this.#rows.delete(token)) return;
    const released = this.#book.withdraw(token);
    for (const each of released) {
      gone.add(each);
      // Kept for pricing a moment ago, by what goes now.
      modes.delete(each);
    }
    // Still needed for pricing: it stays, in the mode that pricing wants.
    if (!released.includes(token)) modes.set(token, PRICING_MODE);
    this.#events.onRemoved(token);
  }

  #newBatcher(channel: TickChannel): ChannelBatcher {
    const { clock, sink } = this.#parts;
    const context = {
      accountId: this.accountId,
      channel,
      lease: () => this.#parts.lease(),
      nowMs: () => clock.nowMs(),
      steadyMs: () => clock.steadyMs(),
    };
    return new ChannelBatcher(context, this.#settings.batcher, sink, this.#pool);
  }
}
