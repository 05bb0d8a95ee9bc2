import type { Slot } from '../enrich/slot.ts';
import { FIELD, hasExchangeTime, PACKET_LENGTH } from '../feed/decode.ts';

/** Where the exchange's time stands in packets that carry one. */
const TIME_OFFSET = { [PACKET_LENGTH.full]: 60, [PACKET_LENGTH.indexFull]: 28 } as const;

/**
 * Whether a real packet shows that the market trades, whatever the calendar says. The broker's answer to a
 * subscription shows nothing: it is as old as the last session.
 * @param slot as it was before the packet
 * @param sinceMs a packet of a later exchange time was made while the market trades, epoch ms
 */
export function isLive(
  slot: Slot,
  frame: DataView,
  offset: number,
  length: number,
  sinceMs: number,
): boolean {
  if (!hasExchangeTime(length)) return isNews(slot, frame, offset, length);
  const timeS = frame.getUint32(offset + TIME_OFFSET[length as keyof typeof TIME_OFFSET]);
  const beforeS = slot.fields[FIELD.exchange_time]!;
  return timeS * 1_000 > sinceMs || (beforeS > 0 && timeS > beforeS);
}

/** Without a time: what was told already is the broker's answer to a subscription; another price is news. */
function isNews(slot: Slot, frame: DataView, offset: number, length: number): boolean {
  if (slot.packetLength === 0) return false;
  if (frame.getUint32(offset + 4) !== slot.fields[FIELD.last_price]!) return true;
  if (length !== PACKET_LENGTH.quote) return false;
  const before = slot.fields[FIELD.volume]!;
  return before > 0 && frame.getUint32(offset + 16) !== before;
}
