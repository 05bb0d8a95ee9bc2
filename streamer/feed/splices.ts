import type { FeedMode } from '#shared/market/instrument.ts';
import type { Slot } from '../enrich/slot.ts';
import { decodeBody, FIELD, FIELD_COUNT, hasExchangeTime, PACKET_LENGTH } from './decode.ts';

/** Why a packet told nothing that was not told already; labels of the counter. */
export const REPEAT_REASONS = [
  /** From a link that is not the instrument's home, or not any more. */
  'not_home',
  /** The first of a new subscription, the same as the newest tick. */
  'double',
  /** The first of a new subscription, older than the newest tick. */
  'outdated',
  /** In the mode after a bare subscribe, before the wished one is in force. */
  'other_mode',
] as const;
export type RepeatReason = (typeof REPEAT_REASONS)[number];

/** Where an instrument stands whose packets are not simply taken as they come. */
export interface Splice {
  /** The link that streams it until `next` has caught up; 0: none does. */
  home: number;
  /** `home` was subscribed anew and has sent nothing yet. */
  isHomeFresh: boolean;
  /** The link whose first packets are looked at. */
  next: number;
  /** `next` takes over only when it is told to: until then nobody knows whether it has news. */
  isAsked: boolean;
  otherModes: number;
  outdated: number;
  /** What `next` sent while `home` goes on, oldest first. */
  queue: Waiting[];
  /** `home` before it was given up: it goes on should `next` fail before the hand-over is over. 0: none. */
  left: number;
  /** The newest packet of `left`. */
  kept: DataView | undefined;
}

interface Waiting {
  readonly packet: DataView;
  /** `home` spoke after it. */
  isBeforeHome: boolean;
}

type Novelty = 'news' | Exclude<RepeatReason, 'not_home'>;

/** A broker that never changes the mode is believed after so many packets in another one. */
const MAX_OTHER_MODES = 3;
/** Times that stay behind are believed after so many: the exchange's clock was set back. */
const MAX_OUTDATED = 8;
/** More than an instrument ticks during a hand-over. */
const MAX_QUEUE = 16;
const VOLUME_WRAP = 2 ** 31;

/**
 * Joins what two subscriptions of an instrument send into one order of ticks, each once. A new subscription begins
 * with the broker's newest packet: where that equals the newest tick, both links stand at the same place and the new
 * one goes on from there. Until then the old one is followed and what the new one sends waits.
 *
 * Only instruments whose `slot.link` is not the link of a packet come here: the others are not slowed down.
 */
export class Splices {
  readonly repeated: Record<RepeatReason, number>;
  readonly #use: (slot: Slot, frame: DataView, offset: number, length: number) => void;
  readonly #scratch = new Float64Array(FIELD_COUNT);
  readonly #news = new Map<number, number>();

  constructor(use: (slot: Slot, frame: DataView, offset: number, length: number) => void) {
    this.#use = use;
    const none = REPEAT_REASONS.map((reason) => [reason, 0]);
    this.repeated = Object.fromEntries(none) as Record<RepeatReason, number>;
  }

  /** The link was told to stream it, and nobody else does. */
  assign(slot: Slot, link: number): void {
    this.#passOver(slot.splice);
    slot.link = 0;
    slot.splice = newSplice(0, link);
  }

  /**
   * `to` was told to stream it too and shall take over without a tick lost or doubled.
   * @param isAsked only once it is settled
   */
  handOver(slot: Slot, to: number, isAsked = false): void {
    const before = slot.splice;
    if (before?.next === to || slot.link === to) return;
    this.#passOver(before);
    slot.splice = newSplice(before?.next ?? slot.link, to);
    slot.splice.isHomeFresh = slot.link === 0 && before !== undefined;
    slot.splice.isAsked = isAsked;
    slot.link = 0;
  }

  /** The link subscribed everything anew. */
  reopened(slot: Slot, link: number): void {
    if (slot.link === link) this.assign(slot, link);
    else if (slot.splice?.home === link) slot.splice.isHomeFresh = true;
  }

  /**
   * How many packets told something new on a link that is to take over, and no other link told it since. Of a link that
   * is not only asked, those of instruments that had ticks before.
   */
  newsOf(link: number): number {
    return this.#news.get(link) ?? 0;
  }

  forgetNews(link: number): void {
    this.#news.delete(link);
  }

  /** A packet of a link that is not the slot's own. */
  take(slot: Slot, link: number, frame: DataView, offset: number, length: number): void {
    const splice = slot.splice;
    if (splice === undefined) this.repeated.not_home += 1;
    else if (link === splice.next) this.#takeNext(slot, splice, frame, offset, length);
    else if (link === splice.home) this.#takeHome(slot, splice, frame, offset, length);
    else if (link === splice.left) this.#keep(splice, copyOf(frame, offset, length));
    else this.repeated.not_home += 1;
  }

  /** `home` is lost or was waited for long enough: what waits and is newer is used, and `next` goes on. */
  settle(slot: Slot): void {
    const { splice } = slot;
    if (splice === undefined || splice.home === 0) return;
    const { queue } = splice;
    if (queue.length === 0) {
      leaveHome(splice);
      return;
    }
    this.#takeOver(slot, splice);
    for (const { packet, isBeforeHome } of queue) {
      const novelty = this.#comparison(slot, packet, 0, packet.byteLength);
      if (novelty === 'news' && !(isBeforeHome && this.#isSameMoment(slot, packet))) {
        this.#use(slot, packet, 0, packet.byteLength);
      } else this.repeated[novelty === 'news' ? 'double' : novelty] += 1;
    }
  }

  /** `to` has taken over for good: whom it took over from is not needed any more. */
  finish(slot: Slot, to: number): void {
    const { splice } = slot;
    if (splice?.next !== to) return;
    this.#keep(splice, undefined);
    splice.left = 0;
    if (slot.link === to) slot.splice = undefined;
  }

  /** `to` will not take over after all. What `from` sent while it was not followed any more: its newest is told now. */
  cancel(slot: Slot, from: number, to: number): void {
    const { splice } = slot;
    if (splice?.next !== to && slot.link !== to) return;
    if (splice?.home === from && !splice.isHomeFresh) {
      this.#passOver(splice);
      slot.link = from;
      slot.splice = undefined;
      return;
    }
    const kept = splice?.left === from ? splice.kept : undefined;
    if (kept !== undefined) splice!.kept = undefined;
    this.assign(slot, from);
    if (kept !== undefined) this.#takeNext(slot, slot.splice!, kept, 0, kept.byteLength);
  }

  #takeOver(slot: Slot, splice: Splice): void {
    slot.link = splice.next;
    splice.queue = [];
    leaveHome(splice);
    if (splice.left === 0) slot.splice = undefined;
  }

  #keep(splice: Splice, packet: DataView | undefined): void {
    if (splice.kept !== undefined) this.repeated.not_home += 1;
    splice.kept = packet;
  }

  /** What waits in it is not told. */
  #passOver(splice: Splice | undefined): void {
    if (splice === undefined) return;
    this.repeated.not_home += splice.queue.length;
    this.#keep(splice, undefined);
  }

  #takeNext(slot: Slot, splice: Splice, frame: DataView, offset: number, length: number): void {
    const novelty = this.#novelty(slot, splice, frame, offset, length);
    const isToWait = splice.isAsked && splice.home !== 0;
    if (novelty === 'news' && (slot.packetLength > 0 || isToWait)) {
      this.#news.set(splice.next, this.newsOf(splice.next) + 1);
    }
    if (novelty === 'other_mode' || novelty === 'outdated') {
      this.repeated[novelty] += 1;
    } else if (isToWait && novelty === 'double') {
      this.#drop(splice, splice.queue.length);
      this.repeated.double += 1;
    } else if (!isToWait && (splice.home === 0 || slot.packetLength === 0 || novelty === 'double')) {
      this.repeated.double += splice.queue.length;
      this.#takeOver(slot, splice);
      if (novelty === 'news') this.#use(slot, frame, offset, length);
      else this.repeated.double += 1;
    } else {
      splice.queue.push({ packet: copyOf(frame, offset, length), isBeforeHome: false });
      if (splice.queue.length > MAX_QUEUE) this.settle(slot);
    }
  }

  /** The oldest that wait were told by `home`. */
  #drop(splice: Splice, packets: number): void {
    splice.queue.splice(0, packets);
    this.repeated.double += packets;
    this.#news.set(splice.next, this.newsOf(splice.next) - packets);
  }

  #takeHome(slot: Slot, splice: Splice, frame: DataView, offset: number, length: number): void {
    if (splice.isHomeFresh) {
      const novelty = this.#novelty(slot, splice, frame, offset, length);
      if (novelty === 'news' || novelty === 'double') splice.isHomeFresh = false;
      if (novelty !== 'news') {
        this.repeated[novelty] += 1;
        return;
      }
    }
    this.#use(slot, frame, offset, length);
    const { queue } = splice;
    const at = queue.findIndex(({ packet }) => this.#isSame(slot, packet, 0, packet.byteLength));
    for (const waiting of queue) waiting.isBeforeHome = true;
    if (at === -1) return;
    this.#drop(splice, at + 1);
    if (splice.isAsked) return;
    this.#takeOver(slot, splice);
    for (const { packet } of queue) this.#use(slot, packet, 0, packet.byteLength);
  }

  #novelty(slot: Slot, splice: Splice, frame: DataView, offset: number, length: number): Novelty {
    if (!isOfMode(slot.mode, length) && splice.otherModes < MAX_OTHER_MODES) {
      splice.otherModes += 1;
      return 'other_mode';
    }
    const novelty = this.#comparison(slot, frame, offset, length);
    if (novelty !== 'outdated') return novelty;
    if (splice.outdated >= MAX_OUTDATED) return 'news';
    if (splice.home === 0) splice.outdated += 1;
    return 'outdated';
  }

  #comparison(slot: Slot, frame: DataView, offset: number, length: number): 'news' | 'double' | 'outdated' {
    if (this.#isSame(slot, frame, offset, length)) return 'double';
    return isOlder(slot, frame, offset, length) ? 'outdated' : 'news';
  }

  /** What a packet does not carry is taken from the slot, so it compares as equal. */
  #isSame(slot: Slot, frame: DataView, offset: number, length: number): boolean {
    if (slot.packetLength !== length) return false;
    this.#scratch.set(slot.fields);
    decodeBody(frame, offset, length, this.#scratch);
    for (let index = 0; index < FIELD_COUNT; index += 1) {
      if (this.#scratch[index] !== slot.fields[index]) return false;
    }
    return true;
  }

  /** Within the exchange's second and at the same volume nothing tells which of two packets came first. */
  #isSameMoment(slot: Slot, packet: DataView): boolean {
    this.#scratch.set(slot.fields);
    decodeBody(packet, 0, packet.byteLength, this.#scratch);
    return (
      this.#scratch[FIELD.exchange_time] === slot.fields[FIELD.exchange_time] &&
      this.#scratch[FIELD.volume] === slot.fields[FIELD.volume]
    );
  }
}

function newSplice(home: number, next: number): Splice {
  return {
    home,
    isHomeFresh: false,
    next,
    isAsked: false,
    otherModes: 0,
    outdated: 0,
    queue: [],
    left: 0,
    kept: undefined,
  };
}

/** It is not followed any more; should it have to go on after all, it is known. */
function leaveHome(splice: Splice): void {
  if (splice.home !== 0) splice.left = splice.home;
  splice.home = 0;
}

function isOfMode(mode: FeedMode, length: number): boolean {
  switch (mode) {
    case 'full':
      return length === PACKET_LENGTH.full || length === PACKET_LENGTH.indexFull;
    case 'quote':
      return length === PACKET_LENGTH.quote || length === PACKET_LENGTH.indexQuote;
    case 'ltp':
      return length === PACKET_LENGTH.ltp;
  }
}

function isOlder(slot: Slot, frame: DataView, offset: number, length: number): boolean {
  if (slot.packetLength === 0) return false;
  if (hasExchangeTime(length)) {
    const time = frame.getUint32(offset + (length === PACKET_LENGTH.full ? 60 : 28));
    const before = slot.fields[FIELD.exchange_time]!;
    if (time !== before) return time !== 0 && time < before;
  }
  if (length !== PACKET_LENGTH.full && length !== PACKET_LENGTH.quote) return false;
  // A new day's volume begins anew.
  if (!slot.comparesVolume) return false;
  const fall = slot.fields[FIELD.volume]! - frame.getUint32(offset + 16);
  return fall > 0 && fall < VOLUME_WRAP;
}

/** The frame's memory is the socket's again once it was worked through. */
function copyOf(frame: DataView, offset: number, length: number): DataView {
  const start = frame.byteOffset + offset;
  return new DataView(frame.buffer.slice(start, start + length) as ArrayBuffer);
}
