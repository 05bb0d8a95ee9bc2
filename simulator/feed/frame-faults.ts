import type { ArmedFault, FaultKind, Faults } from '#simulator/contracts.ts';
import { encodeFrame, PACKET_BYTES } from './packets.ts';

/** A body length that no packet has. */
const UNKNOWN_BYTES = 13;
const OVERSIZE_BYTES = 65_536;
const LTP_AT = 4;
const BEST_BID_PRICE_AT = 68;
const BEST_ASK_PRICE_AT = 128;

export type Fire = (kind: FaultKind) => ArmedFault | undefined;

export function fireFor(faults: Faults, account: string): Fire {
  return (kind) => faults.fire(kind, { account });
}

/** The packets as the armed faults leave them; the given ones are never changed. */
export function spoilPackets(packets: readonly Buffer[], fire: Fire): readonly Buffer[] {
  let spoiled = packets;
  if (fire('feed_zero_price') !== undefined) spoiled = spoiled.map(withoutPrice);
  if (fire('feed_crossed_book') !== undefined) spoiled = spoiled.map(withCrossedBook);
  if (fire('feed_unknown_packet') !== undefined) spoiled = [Buffer.alloc(UNKNOWN_BYTES, 0x5a), ...spoiled];
  if (fire('feed_oversize_frame') !== undefined) spoiled = repeated(spoiled);
  return spoiled;
}

function withoutPrice(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  if (copy.length >= PACKET_BYTES.ltp) copy.writeUInt32BE(0, LTP_AT);
  return copy;
}

function withCrossedBook(packet: Buffer): Buffer {
  if (packet.length !== PACKET_BYTES.full) return packet;
  const copy = Buffer.from(packet);
  copy.writeUInt32BE(packet.readUInt32BE(BEST_ASK_PRICE_AT), BEST_BID_PRICE_AT);
  copy.writeUInt32BE(packet.readUInt32BE(BEST_BID_PRICE_AT), BEST_ASK_PRICE_AT);
  return copy;
}

/** The same packets over and over, until the frame no longer fits 65,535 bytes. */
function repeated(packets: readonly Buffer[]): readonly Buffer[] {
  const once = encodeFrame(packets).length - 2;
  const times = Math.ceil(OVERSIZE_BYTES / Math.max(1, once));
  return Array.from({ length: times }, () => packets).flat();
}

/** The start of a binary WebSocket message that announces `frame` and carries only half of it. */
export function cutMessage(frame: Buffer): Buffer {
  const header = Buffer.alloc(10);
  header[0] = 0x82;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(frame.length), 2);
  return Buffer.concat([header, frame.subarray(0, frame.length >> 1)]);
}
