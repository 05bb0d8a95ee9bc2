import { IST_OFFSET_MS } from '#shared/market/calendar.ts';
import { FIELD, hasExchangeTime, PACKET_LENGTH } from '../feed/decode.ts';
import type { Slot } from './slot.ts';

/** Why a packet was not used; labels of the reject counter. */
export const REJECT_REASONS = [
  'unknown_token',
  'unknown_length',
  'truncated_frame',
  'trailing_bytes',
  'price_out_of_range',
  'no_index_price',
  'beyond_circuit',
  'time_out_of_range',
  'time_backwards',
  'volume_backwards',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

export interface ValidationSettings {
  /** Rupees; no instrument of the broker trades near it. */
  readonly maxPrice: number;
  /** Largest believable move from the previous close, as a fraction. Indices halt at 20 %. */
  readonly maxIndexMove: number;
  /** The same of futures and equities, whose bands are flexed during a day. Options have no such limit. */
  readonly maxMove: number;
  /** How far an exchange time may lie ahead of the market clock. */
  readonly maxAheadMs: number;
  /** So many rejects of one instrument in a row, and the new level is taken for the truth. */
  readonly rebaseAfter: number;
}

const DAY_S = 86_400;
const IST_OFFSET_S = IST_OFFSET_MS / 1_000;
/** The broker's volume is a u32: a fall by more than half of its range is a wrap, not a step back. */
const VOLUME_WRAP = 2 ** 31;

/**
 * Looks at a packet in its frame before it replaces the slot's values. A level that looks wrong but persists
 * becomes right after `rebaseAfter` packets, so that one bad value can never silence an instrument.
 * @returns undefined when the packet may be used
 */
export function rejectReason(
  slot: Slot,
  frame: DataView,
  offset: number,
  length: number,
  nowMs: number,
  settings: ValidationSettings,
): RejectReason | undefined {
  const hard = rangeProblem(slot, frame, offset, length, settings);
  if (hard !== undefined) return hard;
  const soft = sequenceProblem(slot, frame, offset, length, nowMs, settings);
  if (soft === undefined || slot.rejectsInRow >= settings.rebaseAfter) {
    // Some levels stay wrong with every packet, a close before a demerger or a clock that is behind: all of these pass.
    if (soft === undefined) slot.rejectsInRow = 0;
    if (hasExchangeTime(length)) slot.comparesTime = true;
    if (hasVolume(length)) slot.comparesVolume = true;
    return undefined;
  }
  slot.rejectsInRow += 1;
  return soft;
}

function rangeProblem(
  slot: Slot,
  frame: DataView,
  offset: number,
  length: number,
  settings: ValidationSettings,
): RejectReason | undefined {
  const maxRaw = settings.maxPrice / slot.unit;
  const price = frame.getUint32(offset + 4);
  if (price > maxRaw) return 'price_out_of_range';
  if (price === 0 && slot.kind === 'underlying') return 'no_index_price';
  if (length === PACKET_LENGTH.full) {
    // Best bid and best ask: the two levels that prices are made from.
    if (frame.getUint32(offset + 68) > maxRaw || frame.getUint32(offset + 128) > maxRaw) {
      return 'price_out_of_range';
    }
  }
  return undefined;
}

function sequenceProblem(
  slot: Slot,
  frame: DataView,
  offset: number,
  length: number,
  nowMs: number,
  settings: ValidationSettings,
): RejectReason | undefined {
  if (movesTooFar(slot, frame, offset, length, settings)) return 'beyond_circuit';
  const timeOffset = length === PACKET_LENGTH.full ? 60 : length === PACKET_LENGTH.indexFull ? 28 : 0;
  let sameDay = true;
  if (timeOffset !== 0) {
    const time = frame.getUint32(offset + timeOffset);
    if (time * 1_000 > nowMs + settings.maxAheadMs) return 'time_out_of_range';
    const before = slot.comparesTime ? slot.fields[FIELD.exchange_time]! : 0;
    if (time !== 0 && time < before) return 'time_backwards';
    sameDay = istDayNumber(time) === istDayNumber(before);
  }
  if (slot.comparesVolume && hasVolume(length)) {
    const fall = slot.fields[FIELD.volume]! - frame.getUint32(offset + 16);
    if (fall > 0 && fall < VOLUME_WRAP && sameDay) return 'volume_backwards';
  }
  return undefined;
}

function movesTooFar(
  slot: Slot,
  frame: DataView,
  offset: number,
  length: number,
  settings: ValidationSettings,
): boolean {
  if (slot.kind === 'option' || length === PACKET_LENGTH.ltp) return false;
  const isIndexPacket = length === PACKET_LENGTH.indexQuote || length === PACKET_LENGTH.indexFull;
  const close = frame.getUint32(offset + (isIndexPacket ? 20 : 40));
  const price = frame.getUint32(offset + 4);
  if (close === 0 || price === 0) return false;
  const limit = slot.kind === 'underlying' ? settings.maxIndexMove : settings.maxMove;
  return Math.abs(price - close) > limit * close;
}

function istDayNumber(epochS: number): number {
  return Math.floor((epochS + IST_OFFSET_S) / DAY_S);
}

function hasVolume(length: number): boolean {
  return length === PACKET_LENGTH.full || length === PACKET_LENGTH.quote;
}

/**
 * The next packet is compared with nothing: after a reconnect or on a new day the feed starts anew. The slot keeps its
 * values; they are the newest there are.
 */
export function resetBaseline(slot: Slot): void {
  slot.comparesTime = false;
  slot.comparesVolume = false;
  slot.rejectsInRow = 0;
}
