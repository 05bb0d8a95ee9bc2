import type { Socket } from 'node:net';

/** How bytes get through; `stall` keeps links up and moves nothing, `trickle` counts each direction of a link by itself. */
export type FlowMode =
  | { readonly kind: 'pass' }
  | { readonly kind: 'stall' }
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number };

const REFILL_MS = 20;

/**
 * One direction of a link. What may not pass stays unread, so that the sender meets a full pipe as it would with a
 * peer that has stopped reading; an end waits behind the bytes before it.
 */
export class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  #mode: FlowMode;
  #budget = 0;
  #refilledMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, mode: FlowMode) {
    this.#from = from;
    this.#to = to;
    this.#mode = mode;
    from.on('readable', () => this.#move());
    from.on('end', () => to.end());
    to.on('drain', () => this.#move());
    this.setMode(mode);
  }

  setMode(mode: FlowMode): void {
    this.close();
    this.#mode = mode;
    this.#budget = mode.kind === 'pass' ? Number.POSITIVE_INFINITY : 0;
    this.#refilledMs = performance.now();
    if (mode.kind === 'trickle')
      this.#timer = setInterval(() => this.#refill(mode.bytesPerSecond), REFILL_MS);
    this.#move();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** What was not used is not saved up: after a pause no burst follows. */
  #refill(bytesPerSecond: number): void {
    const nowMs = performance.now();
    const earned = ((nowMs - this.#refilledMs) / 1_000) * bytesPerSecond;
    this.#refilledMs = nowMs;
    this.#budget = Math.min(this.#budget, 1) + earned;
    this.#move();
  }

  #move(): void {
    while (this.#mode.kind !== 'stall' && !this.#to.writableNeedDrain && !this.#to.destroyed) {
      const waiting = this.#from.readableLength;
      const size = Math.min(waiting, Math.floor(this.#budget));
      if (waiting > 0 && size === 0) return;
      // Without bytes a read lets the end of the stream show itself.
      const chunk: Buffer | null = waiting > 0 ? this.#from.read(size) : this.#from.read();
      if (chunk === null) return;
      this.#budget -= chunk.length;
      this.#to.write(chunk);
    }
  }
}
