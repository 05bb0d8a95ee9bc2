import type { AccountSource, BrokerSession } from '#shared/accounts/types.ts';
import type { Clock } from '#shared/clock.ts';
import { istDay, istMs } from '#shared/market/calendar.ts';
import { type FeedMode, kindOf } from '#shared/market/instrument.ts';
import type { TickChannel } from '#shared/messages/channels.ts';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import type { GatedTarget } from './day/gate.ts';
import { Book, type BookSettings } from './enrich/book.ts';
import { Pricer } from './enrich/pricer.ts';
import type { Slot } from './enrich/slot.ts';
import { resetBaseline, type ValidationSettings } from './enrich/validate.ts';
import { type ConnectionSettings, type DisconnectCause, FeedConnection } from './feed/connection.ts';
import { ConnectionPool, type PoolSettings } from './feed/pool.ts';
import { TickPipeline } from './pipeline.ts';
import { type BatcherSettings, type BatchSink, ChannelBatcher } from './publish/batcher.ts';
import { PayloadPool } from './publish/payload-pool.ts';

export interface AccountSettings {
  readonly book: BookSettings;
  readonly validation: ValidationSettings;
  readonly pool: PoolSettings;
  readonly connection: ConnectionSettings;
  readonly batcher: BatcherSettings;
}

export interface AccountParts {
  readonly clock: Clock;
  readonly sink: BatchSink;
  readonly accounts: Pick<AccountSource, 'readSession'>;
  readonly random: () => number;
  /** The lease held, or undefined. */
  lease(): number | undefined;
}

export interface AccountEvents {
  onChanged(slot: Slot): void;
  onRemoved(token: number): void;
  /** Before anything of a frame is used. */
  beforeFrame(): void;
  onDown(cause: DisconnectCause, detail: string): void;
  onText(text: string): void;
  /** A frame was worked through, from its bytes to the batches. */
  onFrame(durationMs: number): void;
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
  readonly pool: ConnectionPool;
  readonly #settings: AccountSettings;
  readonly #parts: AccountParts;
  readonly #events: AccountEvents;
  readonly #book: Book;
  readonly #pool = new PayloadPool();
  readonly #rows = new Map<number, AccountSubscription>();
  #session: BrokerSession | undefined;
  #sessionIsStale = false;
  readonly downs = new Map<DisconnectCause, number>();

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
    this.pipeline = new TickPipeline(
      {
        clock: parts.clock,
        book: this.#book,
        pricer: new Pricer(settings.book, this.#book.forwards),
        batchers: this.batchers,
        isSinkIdle: () => parts.sink.isIdle,
        onChanged: (slot) => events.onChanged(slot),
      },
      settings.validation,
    );
    this.pool = new ConnectionPool(settings.pool, () => this.#openConnection());
  }

  start(): void {
    this.pool.start();
  }

  current(): ReadonlyMap<number, AccountSubscription> {
    return this.#rows;
  }

  /** Instruments claimed; those held for pricing alone do not count. */
  get subscriptions(): number {
    return this.#rows.size;
  }

  /** Changes exactly what is named; everything else goes on untouched. */
  apply(set: readonly AccountSubscription[], removed: readonly number[]): void {
    const modes = new Map<number, FeedMode>();
    const gone = new Set<number>();
    for (const token of removed) this.#withdraw(token, gone, modes);
    for (const row of underlyingsFirst(set)) {
      const known = this.#rows.get(row.instrument_token);
      if (known !== undefined && known.instrument.tradingsymbol !== row.instrument.tradingsymbol) {
        this.#withdraw(row.instrument_token, gone, modes);
      }
      this.#rows.set(row.instrument_token, row);
      for (const token of this.#book.publish(row.instrument)) modes.set(token, PRICING_MODE);
      modes.set(row.instrument_token, row.mode);
    }
    for (const token of modes.keys()) gone.delete(token);
    this.pool.change(modes, [...gone]);
  }

  /** Reports every instrument that has values of today as changed: what a Redis lost is written again. */
  repeatLastValues(): void {
    const todayMs = istMs(istDay(this.#parts.clock.nowMs()), '00:00');
    for (const slot of this.#book.slots) {
      const hasValues = slot.published && slot.packetLength > 0 && slot.receivedMs >= todayMs;
      if (hasValues && !slot.dirty) this.#events.onChanged(slot);
    }
  }

  beginSession(): void {
    for (const slot of this.#book.slots) resetBaseline(slot);
  }

  /** A session with a higher version exists. */
  sessionChanged(version: number): void {
    if (this.#session !== undefined && this.#session.session_version >= version) return;
    this.#sessionIsStale = true;
    this.pool.sessionChanged();
  }

  close(): void {
    this.pool.close();
    this.pipeline.flush();
  }

  #withdraw(token: number, gone: Set<number>, modes: Map<number, FeedMode>): void {
    if (!this.#rows.delete(token)) return;
    const released = this.#book.withdraw(token);
    for (const each of released) gone.add(each);
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
      wallMs: () => clock.wallMs(),
    };
    return new ChannelBatcher(context, this.#settings.batcher, sink, this.#pool);
  }

  #openConnection(): FeedConnection {
    const connection: FeedConnection = new FeedConnection(
      this.#settings.connection,
      { clock: this.#parts.clock, random: this.#parts.random, session: () => this.#readSession() },
      {
        onFrame: (frame) => this.#onFrame(frame),
        onText: (text) => this.#events.onText(text),
        onOpen: () => this.#book.resetBaselines(connection.tokens),
        onDown: (cause, detail) => this.#wentDown(cause, detail),
      },
    );
    return connection;
  }

  #onFrame(frame: DataView): void {
    this.#events.beforeFrame();
    const startedMs = performance.now();
    this.pipeline.frame(frame);
    this.#events.onFrame(performance.now() - startedMs);
  }

  #wentDown(cause: DisconnectCause, detail: string): void {
    if (cause === 'refused_403') this.#sessionIsStale = true;
    this.downs.set(cause, (this.downs.get(cause) ?? 0) + 1);
    this.#events.onDown(cause, detail);
  }

  async #readSession(): Promise<BrokerSession | undefined> {
    if (this.#session === undefined || this.#sessionIsStale) {
      this.#session = await this.#parts.accounts.readSession(this.accountId);
      this.#sessionIsStale = false;
    }
    return this.#session;
  }
}
