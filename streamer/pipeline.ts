import type { Clock } from '#shared/clock.ts';
import { CHANNEL_OF_KIND, TICK_CHANNELS, type TickChannel } from '#shared/messages/channels.ts';
import type { Book } from './enrich/book.ts';
import type { Pricer } from './enrich/pricer.ts';
import type { OptionState, Slot } from './enrich/slot.ts';
import {
  REJECT_REASONS,
  type RejectReason,
  rejectReason,
  type ValidationSettings,
} from './enrich/validate.ts';
import { decodeBody, isKnownLength, walkFrame } from './feed/decode.ts';
import { Splices } from './feed/splices.ts';
import type { ChannelBatcher } from './publish/batcher.ts';

export interface PipelineContext {
  readonly clock: Clock;
  readonly book: Book;
  readonly pricer: Pricer;
  readonly batchers: Readonly<Record<TickChannel, ChannelBatcher>>;
  /** Whether everything given to the sink has arrived. */
  isSinkIdle(): boolean;
  /** A slot's values changed: the last-value hash is behind. */
  onChanged(slot: Slot): void;
}

/**
 * Every tick is counted once: packets = published + priced only + rejected + folded + waiting + discarded + those that
 * repeat what another subscription told (`TickPipeline.splices`).
 */
export interface PipelineCounts {
  packets: number;
  /** Of indices held for pricing alone. */
  pricingOnly: number;
  readonly rejected: Record<RejectReason, number>;
}

function newCounts(): PipelineCounts {
  const rejected = Object.fromEntries(REJECT_REASONS.map((reason) => [reason, 0]));
  return { packets: 0, pricingOnly: 0, rejected: rejected as Record<RejectReason, number> };
}

const TIMED_MASK = 1_023;
/** No connection's number: frames that come by hand are taken as they are. */
const BY_HAND = 0;

/** The way of one account's ticks from a frame's bytes into batches, without a wait or an object a tick. */
export class TickPipeline {
  readonly counts = newCounts();
  /** Joins what several subscriptions of an instrument send. */
  readonly splices = new Splices((slot, frame, offset, length) => this.#use(slot, frame, offset, length));
  /** Market time of the newest tick published or folded; 0 before the first. */
  lastTickMs = 0;
  /** Set once: samples of rejects for the log. */
  onReject: ((reason: RejectReason, token: number) => void) | undefined;
  /** Set out of market hours alone: sees what is accepted, before it takes the place of the slot's values. */
  onReal: ((slot: Slot, frame: DataView, offset: number, length: number) => void) | undefined;
  /** Set once: the time of one pricing in 1,024. */
  onPricingTime: ((durationMs: number) => void) | undefined;
  readonly #context: PipelineContext;
  readonly #settings: ValidationSettings;
  #frame: DataView = new DataView(new ArrayBuffer(0));
  #nowMs = 0;
  #link = BY_HAND;
  readonly #visit = (offset: number, length: number) => this.#packet(offset, length);

  constructor(context: PipelineContext, settings: ValidationSettings) {
    this.#context = context;
    this.#settings = settings;
  }

  /** @param link the connection that it came on */
  frame(frame: DataView, link = BY_HAND): void {
    this.#frame = frame;
    this.#link = link;
    this.#nowMs = this.#context.clock.nowMs();
    const end = walkFrame(frame, this.#visit);
    if (end === 'truncated') this.#reject('truncated_frame', 0);
    else if (end === 'trailing') this.#reject('trailing_bytes', 0);
    if (this.#context.isSinkIdle()) this.flush();
  }

  /** Lets packets that waited in splices through outside of a frame. */
  between(work: () => void): void {
    this.#nowMs = this.#context.clock.nowMs();
    work();
    if (this.#context.isSinkIdle()) this.flush();
  }

  flush(): void {
    for (const channel of TICK_CHANNELS) this.#context.batchers[channel].flush();
  }

  flushIdle(): void {
    for (const channel of TICK_CHANNELS) this.#context.batchers[channel].flushIdle();
  }

  #packet(offset: number, length: number): void {
    this.counts.packets += 1;
    if (!isKnownLength(length)) {
      this.#reject('unknown_length', length);
      return;
    }
    const token = this.#frame.getUint32(offset);
    const slot = this.#context.book.get(token);
    if (slot === undefined) {
      this.#reject('unknown_token', token);
      return;
    }
    if (slot.link === this.#link || this.#link === BY_HAND) this.#use(slot, this.#frame, offset, length);
    else this.splices.take(slot, this.#link, this.#frame, offset, length);
  }

  #use(slot: Slot, frame: DataView, offset: number, length: number): void {
    const reason = rejectReason(slot, frame, offset, length, this.#nowMs, this.#settings);
    if (reason === undefined) this.#accept(slot, frame, offset, length);
    else this.#reject(reason, slot.token);
  }

  #accept(slot: Slot, frame: DataView, offset: number, length: number): void {
    if (this.onReal !== undefined) this.onReal(slot, frame, offset, length);
    decodeBody(frame, offset, length, slot.fields);
    slot.packetLength = length;
    slot.receivedMs = this.#nowMs;
    if (!slot.published) {
      this.counts.pricingOnly += 1;
      return;
    }
    if (slot.option !== undefined) this.#price(slot, slot.option);
    this.lastTickMs = this.#nowMs;
    this.#context.batchers[CHANNEL_OF_KIND[slot.kind]].add(slot);
    if (!slot.dirty) this.#context.onChanged(slot);
  }

  /** One pricing in so many is timed: reading the clock costs a good part of what it would measure. */
  #price(slot: Slot, option: OptionState): void {
    const isTimed = (this.counts.packets & TIMED_MASK) === 0;
    const startedMs = isTimed ? performance.now() : 0;
    this.#context.pricer.price(slot, option);
    if (isTimed) this.onPricingTime?.(performance.now() - startedMs);
  }

  #reject(reason: RejectReason, detail: number): void {
    this.counts.rejected[reason] += 1;
    this.onReject?.(reason, detail);
  }
}
