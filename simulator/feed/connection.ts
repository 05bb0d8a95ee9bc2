import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { FeedMode } from '#shared/market/instrument.ts';
import type { FaultKind, Faults, FeedConnectionState, LiveSession } from '#simulator/contracts.ts';
import { parseClientMessage } from './client-message.ts';
import { cutMessage, fireFor, spoilPackets } from './frame-faults.ts';
import { encodeFrame } from './packets.ts';
import type { Streams, Subscriber } from './streams.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ConnectionOptions {
  readonly id: number;
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly session: LiveSession;
  readonly streams: Streams;
  readonly faults: Faults;
  readonly maxInstruments: number;
  readonly defaultMode: FeedMode;
  readonly heartbeatMs: number;
  readonly maxBufferedBytes: number;
  readonly connectedAt: string;
  readonly wallMs: () => number;
}

const HEARTBEAT = Buffer.from([0]);
/** Longer than a round of the market. */
const HOLD_BACK_MS = 1_200;
/** Full packets of a frame stay well below 65,535 bytes. */
export const MAX_PACKETS_A_FRAME = 300;

/** One client's link: what it takes, what waits to leave in the next frame, and the faults that hold on it. */
export class FeedConnection implements Subscriber {
  readonly session: LiveSession;
  readonly subscriptions: Subscriptions;
  readonly #options: ConnectionOptions;
  #pending: Buffer[] = [];
  #held: { readonly frame: Buffer; readonly sinceMs: number } | undefined;
  #lastSentMs: number;
  #framesSent = 0;
  #ticksSent = 0;
  readonly #stuck = new Set<FaultKind>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.session = options.session;
    this.subscriptions = new Subscriptions(options.maxInstruments);
    this.#lastSentMs = options.wallMs();
    options.ws.on('message', (data, isBinary) => {
      if (!isBinary) this.#receive(data);
    });
    // An abrupt end is told by 'close'; without a listener ws would throw it.
    options.ws.on('error', () => this.terminate());
  }

  state(): FeedConnectionState {
    return {
      connection_id: this.#options.id,
      user_id: this.session.user_id,
      api_key: this.session.api_key,
      instruments: this.subscriptions.size,
      frames_sent: this.#framesSent,
      ticks_sent: this.#ticksSent,
      connected_at: this.#options.connectedAt,
    };
  }

  get bufferedBytes(): number {
    return this.#options.ws.bufferedAmount;
  }

  push(packet: Buffer): void {
    this.#pending.push(packet);
    if (this.#pending.length >= MAX_PACKETS_A_FRAME) this.flush();
  }

  /** Sends what waits as one frame, as the armed faults leave it. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const packets = this.#pending;
    this.#pending = [];
    if (this.#options.faults.armed || this.#spoiled()) this.#sendSpoiled(packets);
    else this.#sendFrame(encodeFrame(packets), packets.length);
  }

  sendText(message: object): void {
    this.#send(JSON.stringify(message));
  }

  /** To be called several times a second: heartbeats, and the faults that end or silence a link. */
  tend(): void {
    const { faults, maxBufferedBytes, ws } = this.#options;
    if (faults.armed && this.#fire('feed_reset')) this.#reset();
    else if (ws.bufferedAmount > maxBufferedBytes) this.terminate();
    else if (this.#heartbeatDue() && !this.#holds('feed_no_heartbeat')) this.#send(HEARTBEAT);
  }

  #heartbeatDue(): boolean {
    return this.#options.wallMs() - this.#lastSentMs >= this.#options.heartbeatMs;
  }

  close(code: number, reason: string): void {
    this.#options.ws.close(code, reason);
  }

  terminate(): void {
    this.#options.ws.terminate();
  }

  /** Ends everything the connection takes: the server forgets it at once. */
  forget(): void {
    this.#pending = [];
    this.#leave(this.subscriptions.remove([...this.subscriptions.tokens()]));
  }

  #receive(data: RawData): void {
    const message = parseClientMessage(data.toString());
    switch (message.action) {
      case 'invalid':
        this.sendText({ type: 'error', data: `Invalid message: ${message.reason}.` });
        break;
      case 'unsubscribe':
        this.#leave(this.subscriptions.remove(message.tokens));
        break;
      case 'mode':
        this.#stream(this.subscriptions.setMode(message.tokens, message.mode));
        break;
      case 'subscribe':
        this.#subscribe(message.tokens);
        break;
    }
  }

  #subscribe(tokens: readonly number[]): void {
    const { taken, refused } = this.subscriptions.add(tokens, this.#options.defaultMode);
    this.#stream(taken);
    if (refused === 0) return;
    const data = `Can't subscribe to more than ${this.#options.maxInstruments} instruments.`;
    this.sendText({ type: 'error', data });
  }

  /** Streams the tokens in their modes from now on, beginning with one snapshot each. */
  #stream(tokens: readonly number[]): void {
    for (const token of tokens) {
      const mode = this.subscriptions.mode(token)!;
      const packet = this.#options.streams.take(token, this, mode).packet(mode);
      if (packet !== undefined) this.push(packet);
    }
    this.flush();
  }

  #leave(tokens: readonly number[]): void {
    for (const token of tokens) this.#options.streams.drop(token, this);
  }

  #sendSpoiled(packets: readonly Buffer[]): void {
    if (this.#holds('feed_stall')) return;
    const { faults, socket } = this.#options;
    const fire = fireFor(faults, this.session.user_id);
    const spoiled = spoilPackets(packets, fire);
    const frame = encodeFrame(spoiled);
    if (fire('feed_cut_frame') !== undefined) {
      socket.write(cutMessage(frame), () => this.terminate());
      return;
    }
    if (this.#held === undefined && fire('feed_disorder') !== undefined) {
      this.#held = { frame, sinceMs: this.#options.wallMs() };
      return;
    }
    this.#sendFrame(frame, spoiled.length);
    if (fire('feed_duplicate') !== undefined) this.#sendFrame(frame, spoiled.length);
    this.#release();
  }

  /** What was held back leaves after a frame of the next round, so that its instruments' times go back. */
  #release(): void {
    const held = this.#held;
    if (held === undefined || this.#options.wallMs() - held.sinceMs < HOLD_BACK_MS) return;
    this.#held = undefined;
    this.#sendFrame(held.frame, held.frame.readUInt16BE(0));
  }

  #sendFrame(frame: Buffer, ticks: number): void {
    this.#ticksSent += ticks;
    this.#send(frame);
  }

  #send(data: Buffer | string): void {
    const { ws, wallMs } = this.#options;
    if (ws.readyState !== ws.OPEN) return;
    this.#framesSent++;
    this.#lastSentMs = wallMs();
    ws.send(data);
  }

  #fire(kind: FaultKind): boolean {
    return this.#options.faults.fire(kind, { account: this.session.user_id }) !== undefined;
  }

  /**
   * Whether a lasting fault holds on this link: one armed for seconds holds while it is armed, one armed by count or
   * probability from when it first fires until the link ends.
   */
  #holds(kind: FaultKind): boolean {
    const { faults } = this.#options;
    if (this.#stuck.has(kind)) return true;
    if (!faults.armed || faults.active(kind, { account: this.session.user_id }) === undefined) return false;
    const fired = faults.fire(kind, { account: this.session.user_id });
    if (fired !== undefined && fired.seconds === undefined) this.#stuck.add(kind);
    return fired !== undefined;
  }

  /** Whether a fault that is used up still has its effect here. */
  #spoiled(): boolean {
    return this.#stuck.size > 0 || this.#held !== undefined;
  }

  /** A TCP reset, not a close: the peer sees the link vanish. */
  #reset(): void {
    const { socket } = this.#options;
    if ('resetAndDestroy' in socket && typeof socket.resetAndDestroy === 'function') socket.resetAndDestroy();
    else socket.destroy();
  }
}
