import type { FeedMode } from '#shared/market/instrument.ts';
import type { Market, Quote } from '#simulator/contracts.ts';
import { encodePacket } from './packets.ts';

/** Who takes an instrument's packets. */
export interface Subscriber {
  push(packet: Buffer): void;
}

/** One instrument as the feed streams it: encoded once a mode and change, however many take it. */
export class Stream {
  readonly token: number;
  readonly subscribers = new Map<Subscriber, FeedMode>();
  #quote: Quote | undefined;
  #packets: Partial<Record<FeedMode, Buffer>> = {};

  constructor(token: number, quote: Quote | undefined) {
    this.token = token;
    this.#quote = quote;
  }

  get quote(): Quote | undefined {
    return this.#quote;
  }

  update(quote: Quote | undefined): void {
    if (quote === this.#quote) return;
    this.#quote = quote;
    this.#packets = {};
  }

  /** The newest packet, or undefined where the exchange has no such instrument. */
  packet(mode: FeedMode): Buffer | undefined {
    if (this.#quote === undefined) return undefined;
    let packet = this.#packets[mode];
    if (packet === undefined) {
      packet = encodePacket(this.#quote, mode);
      this.#packets[mode] = packet;
    }
    return packet;
  }
}

/** All instruments that somebody takes; watches the market for them and for no others. */
export class Streams {
  readonly #market: Market;
  readonly #streams = new Map<number, { readonly stream: Stream; readonly stop: () => void }>();
  /** Off: changes are noted but nobody is told (a load sets the pace instead). */
  live = true;

  constructor(market: Market) {
    this.#market = market;
  }

  /** Adds or changes a subscription. What is streamed already keeps its newest tick, so that times never go back. */
  take(token: number, subscriber: Subscriber, mode: FeedMode): Stream {
    let entry = this.#streams.get(token);
    if (entry === undefined) {
      const stream = new Stream(token, this.#market.quote(token));
      const stop = this.#market.watch(token, (quote) => this.#changed(stream, quote));
      entry = { stream, stop };
      this.#streams.set(token, entry);
    }
    entry.stream.subscribers.set(subscriber, mode);
    return entry.stream;
  }

  drop(token: number, subscriber: Subscriber): void {
    const entry = this.#streams.get(token);
    if (entry === undefined || !entry.stream.subscribers.delete(subscriber)) return;
    if (entry.stream.subscribers.size > 0) return;
    entry.stop();
    this.#streams.delete(token);
  }

  stream(token: number): Stream | undefined {
    return this.#streams.get(token)?.stream;
  }

  #changed(stream: Stream, quote: Quote): void {
    stream.update(quote);
    if (!this.live) return;
    for (const [subscriber, mode] of stream.subscribers) subscriber.push(stream.packet(mode)!);
  }
}
