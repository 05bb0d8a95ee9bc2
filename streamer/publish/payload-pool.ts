/**
 * Bytes in front of and behind every payload for the head and the tail of the Redis command that carries it: it is
 * framed where it stands, without another copy.
 */
const HEAD_ROOM = 1_024;
const TAIL = '\r\n';
const SMALLEST = 4_096;
/** Kept in all for later: as much as the sink has under way at most, by default. */
const MAX_KEPT_BYTES = 16_000_000;

/**
 * Memory of payloads, used again: a fresh one for every envelope is garbage outside of the heap, of which V8 notices
 * so much that it marks its whole heap ten times a second.
 */
export class PayloadPool {
  readonly #free = new Map<number, Buffer[]>();
  #keptBytes = 0;

  /** A payload of exactly this many bytes with whatever was in them, and room around it. */
  take(length: number): Buffer {
    const size = sizeFor(HEAD_ROOM + length + TAIL.length);
    const kept = this.#free.get(size)?.pop();
    if (kept !== undefined) this.#keptBytes -= size;
    const whole = kept ?? Buffer.allocUnsafeSlow(size);
    return whole.subarray(HEAD_ROOM, HEAD_ROOM + length);
  }

  /** Nobody reads the payload any more, no socket either. */
  give(payload: Buffer): void {
    const size = payload.buffer.byteLength;
    if (this.#keptBytes + size > MAX_KEPT_BYTES) return;
    this.#keptBytes += size;
    const free = this.#free.get(size) ?? [];
    free.push(Buffer.from(payload.buffer, 0, size));
    this.#free.set(size, free);
  }
}

function sizeFor(length: number): number {
  let size = SMALLEST;
  while (size < length) size *= 2;
  return size;
}

/** The command with the payload as its last argument, in the payload's own memory. */
export function frameInPlace(payload: Buffer, args: readonly string[]): Buffer {
  const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('');
  const head = `*${args.length + 1}\r\n${parts}$${payload.length}\r\n`;
  const headLength = Buffer.byteLength(head);
  if (headLength > HEAD_ROOM) throw new RangeError(`a command head of ${headLength} bytes`);
  const start = payload.byteOffset - headLength;
  const framed = Buffer.from(payload.buffer, start, headLength + payload.length + TAIL.length);
  framed.write(head, 0);
  framed.write(TAIL, framed.length - TAIL.length);
  return framed;
}
