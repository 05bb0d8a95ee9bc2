import type { TickChannel } from '#shared/messages/channels.ts';
import type { Slot } from '../enrich/slot.ts';
import { sealEnvelope } from './envelope.ts';
import { JsonWriter } from './json-writer.ts';
import type { PayloadPool } from './payload-pool.ts';
import { writeSnapshot } from './snapshot-json.ts';

/** One message for a tick channel. */
export interface Batch {
  readonly channel: TickChannel;
  readonly accountId: string;
  readonly lease: number;
  readonly seq: number;
  readonly ticks: number;
  /** The envelope's bytes. */
  readonly payload: Buffer;
  /** Its snapshots one by one; empty unless `BatcherSettings.keepSnapshots`. */
  readonly snapshots: readonly Buffer[];
  /** Nobody reads the payload any more, no socket either: call at most once, or never. */
  release(): void;
  /** Of a batch of synthetic snapshots: the payload that tells its number alone. */
  readonly emptied?: () => Buffer;
}

/** Where batches go. Both answers are immediate: nothing here waits. */
export interface BatchSink {
  /** Everything given has arrived. */
  readonly isIdle: boolean;
  /** Whether one more batch may be given. */
  readonly accepts: boolean;
  publish(batch: Batch): void;
}

export interface BatcherContext {
  readonly accountId: string;
  readonly channel: TickChannel;
  /** The number of the lease held, or undefined once it is lost: then nothing is published. */
  lease(): number | undefined;
  nowMs(): number;
  steadyMs(): number;
}

export interface BatcherSettings {
  readonly maxTicks: number;
  readonly idleEnvelopeMs: number;
  /** For sinks that publish bare snapshots. */
  readonly keepSnapshots: boolean;
}

const COMMA = 44;

/**
 * Gathers one account's ticks of one channel and gives them to the sink in envelopes without holes in `seq`. While
 * the sink takes nothing and a batch is full, ticks wait as instruments: a newer one replaces the waiting values
 * and is counted as folded. So memory is bounded by one batch and the number of instruments.
 */
export class ChannelBatcher {
  readonly #context: BatcherContext;
  readonly #settings: BatcherSettings;
  readonly #sink: BatchSink;
  readonly #pool: PayloadPool;
  readonly #writer = new JsonWriter(16_384);
  #count = 0;
  #ends: number[] = [];
  #waiting: Slot[] = [];
  #folded = 0;
  #lastSentMs: number;
  #lease = 0;
  /** Of the last envelope given to the sink. */
  seq = 0;
  foldedTotal = 0;
  publishedTotal = 0;
  /** Synthetic snapshots; `publishedTotal` is without them. */
  mockTotal = 0;
  discardedTotal = 0;

  constructor(context: BatcherContext, settings: BatcherSettings, sink: BatchSink, pool: PayloadPool) {
    this.#pool = pool;
    this.#context = context;
    this.#settings = settings;
    this.#sink = sink;
    this.#lastSentMs = context.steadyMs();
  }

  /** Ticks not yet given to the sink. */
  get backlog(): number {
    return this.#count + this.#waiting.length;
  }

  /** The lease whose envelopes `seq` counts. */
  get lease(): number {
    return this.#lease;
  }

  add(slot: Slot): void {
    if (slot.pending) {
      this.#folded += 1;
      this.foldedTotal += 1;
      return;
    }
    if (this.#count >= this.#settings.maxTicks) this.flush();
    if (this.#count >= this.#settings.maxTicks) {
      slot.pending = true;
      this.#waiting.push(slot);
      return;
    }
    this.#append(slot);
    if (this.#count >= this.#settings.maxTicks) this.flush();
  }

  /**
   * Gives what the slots show to the sink now or not at all: no synthetic snapshot ever waits here, where a real one
   * could leave before it.
   * @returns how many it took, from the first on
   */
  publishMocks(slots: readonly Slot[]): number {
    if (this.backlog > 0 || this.#context.lease() === undefined) return 0;
    let taken = 0;
    while (taken < slots.length && this.#sink.accepts) {
      const end = Math.min(slots.length, taken + this.#settings.maxTicks);
      for (; taken < end; taken += 1) this.#append(slots[taken]!.shown);
      this.#send(true);
    }
    return taken;
  }

  /** Sends what there is for as long as the sink accepts. */
  flush(): void {
    this.#refill();
    while (this.#count > 0 && this.#sink.accepts) {
      this.#send();
      this.#refill();
    }
  }

  /** An envelope without ticks when nothing was sent for a while: readers see that they missed nothing. */
  flushIdle(): void {
    if (this.backlog > 0) return;
    if (this.#context.steadyMs() - this.#lastSentMs < this.#settings.idleEnvelopeMs) return;
    if (this.#sink.accepts) this.#send();
  }

  /** Nothing of what waits may leave any more: it is counted. */
  abandon(): void {
    this.discardedTotal += this.backlog;
    for (const slot of this.#waiting) slot.pending = false;
    this.#waiting = [];
    this.#count = 0;
    this.#ends = [];
    this.#writer.position = 0;
  }

  #append(slot: Slot): void {
    writeSnapshot(this.#writer, slot);
    this.#writer.byte(COMMA);
    this.#count += 1;
    if (this.#settings.keepSnapshots) this.#ends.push(this.#writer.position);
    slot.seq = this.seq + 1;
  }

  #refill(): void {
    if (this.#waiting.length === 0) return;
    let taken = 0;
    while (taken < this.#waiting.length && this.#count < this.#settings.maxTicks) {
      const slot = this.#waiting[taken]!;
      taken += 1;
      slot.pending = false;
      if (slot.removed) this.discardedTotal += 1;
      else this.#append(slot);
    }
    this.#waiting = this.#waiting.slice(taken);
  }

  #send(isMock = false): void {
    const { accountId, channel } = this.#context;
    const lease = this.#context.lease();
    const ticks = this.#count;
    const folded = this.#folded;
    this.#count = 0;
    this.#folded = 0;
    this.#lastSentMs = this.#context.steadyMs();
    if (lease === undefined) {
      this.discardedTotal += ticks;
      this.#writer.position = 0;
      this.#ends = [];
      return;
    }
    if (lease !== this.#lease) {
      this.#lease = lease;
      this.seq = 0;
    }
    this.seq += 1;
    const head = { accountId, lease, seq: this.seq, ts: this.#context.nowMs(), folded };
    const payload = sealEnvelope(this.#writer, head, this.#pool);
    const snapshots = this.#takeSnapshots();
    this.#writer.position = 0;
    if (isMock) this.mockTotal += ticks;
    else this.publishedTotal += ticks;
    const release = () => this.#pool.give(payload);
    const batch = { channel, accountId, lease, seq: this.seq, ticks, payload, snapshots, release };
    const emptied = () => sealEnvelope(new JsonWriter(0), head, this.#pool);
    this.#sink.publish(isMock ? { ...batch, emptied } : batch);
  }

  #takeSnapshots(): Buffer[] {
    const ends = this.#ends;
    this.#ends = [];
    return ends.map((end, index) => Buffer.from(this.#writer.bytes.slice(ends[index - 1] ?? 0, end - 1)));
  }
}
