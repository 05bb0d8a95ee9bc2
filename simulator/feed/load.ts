import type { Clock } from '#shared/clock.ts';
import type { FeedLoad } from '#simulator/contracts.ts';
import type { FeedConnection } from './connection.ts';
import { PACKET_BYTES, priceDivisor } from './packets.ts';
import type { Streams } from './streams.ts';

export const MAX_TICKS_PER_SECOND = 1_000_000;
const STEP_MS = 5;
/** A late timer makes up for at most this much. */
const MOST_STEP_MS = 100;
/** A link that lets this much wait is passed over: a load follows its readers. */
const FULL_LINK_BYTES = 4 << 20;
const LTP_AT = 4;
/** The low stands right behind the high. */
const INDEX_HIGH_AT = 8;
const HIGH_AT = 32;
const INDEX_TIME_AT = 28;
const TIME_AT = 60;

export class FeedLoadError extends Error {
  readonly code = 'feed_load_invalid';
}

/** Where a connection's turn stands. */
interface Turn {
  readonly tokens: number[];
  next: number;
}

/**
 * Sends ticks at a fixed total rate, over all connections and their instruments in turn: the packets that were encoded
 * once for everybody, with a last price that goes up and down by one tick and the present time.
 */
export class LoadGenerator {
  readonly #streams: Streams;
  readonly #connections: ReadonlySet<FeedConnection>;
  readonly #clock: Clock;
  #turns = new WeakMap<FeedConnection, Turn>();
  #timer: NodeJS.Timeout | undefined;
  #rate = 0;
  #lastMs = 0;
  #owed = 0;

  constructor(streams: Streams, connections: ReadonlySet<FeedConnection>, clock: Clock) {
    this.#streams = streams;
    this.#connections = connections;
    this.#clock = clock;
  }

  get load(): FeedLoad {
    return this.#rate === 0 ? {} : { ticksPerSecond: this.#rate };
  }

  /** @throws FeedLoadError when the rate is not a number from 0 to MAX_TICKS_PER_SECOND. */
  set({ ticksPerSecond = 0 }: FeedLoad): void {
    if (!(ticksPerSecond >= 0 && ticksPerSecond <= MAX_TICKS_PER_SECOND)) {
      throw new FeedLoadError(
        `ticksPerSecond must be from 0 to ${MAX_TICKS_PER_SECOND}, got ${ticksPerSecond}`,
      );
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#rate = ticksPerSecond;
    this.#streams.live = ticksPerSecond === 0;
    if (ticksPerSecond === 0) return;
    this.#lastMs = this.#clock.wallMs();
    this.#owed = 0;
    this.#timer = setInterval(() => this.#step(), STEP_MS);
    this.#timer.unref();
  }

  #step(): void {
    const wallMs = this.#clock.wallMs();
    this.#owed += (Math.min(MOST_STEP_MS, wallMs - this.#lastMs) * this.#rate) / 1000;
    this.#lastMs = wallMs;
    const ready = [...this.#connections].filter(
      (connection) => connection.subscriptions.size > 0 && connection.bufferedBytes < FULL_LINK_BYTES,
    );
    if (ready.length === 0) {
      this.#owed = 0;
      return;
    }
    const each = Math.floor(this.#owed / ready.length);
    this.#owed -= each * ready.length;
    const seconds = Math.floor(this.#clock.nowMs() / 1000);
    for (const connection of ready) this.#sendTo(connection, each, seconds);
  }

  #sendTo(connection: FeedConnection, ticks: number, seconds: number): void {
    const turn = this.#turnOf(connection);
    for (let sent = 0; sent < ticks; sent++) {
      const token = turn.tokens[turn.next % turn.tokens.length]!;
      const up = Math.floor(turn.next++ / turn.tokens.length) % 2 === 1;
      const mode = connection.subscriptions.mode(token);
      const packet = mode === undefined ? undefined : this.#streams.stream(token)?.packet(mode);
      if (packet !== undefined) connection.push(moved(packet, token, seconds, up));
    }
    connection.flush();
  }

  #turnOf(connection: FeedConnection): Turn {
    let turn = this.#turns.get(connection);
    if (
      turn === undefined ||
      turn.tokens.length !== connection.subscriptions.size ||
      turn.next % turn.tokens.length === 0
    ) {
      turn = { tokens: [...connection.subscriptions.tokens()], next: turn?.next ?? 0 };
      this.#turns.set(connection, turn);
    }
    return turn;
  }
}

/** A copy with the present time and a price moved by 0.05 rupees, where the day's range has room for it. */
function moved(packet: Buffer, token: number, seconds: number, up: boolean): Buffer {
  const copy = Buffer.from(packet);
  if (up) copy.writeUInt32BE(nextPrice(packet, priceDivisor(token) / 20), LTP_AT);
  if (packet.length === PACKET_BYTES.full) copy.writeUInt32BE(seconds, TIME_AT);
  else if (packet.length === PACKET_BYTES.indexFull) copy.writeUInt32BE(seconds, INDEX_TIME_AT);
  return copy;
}

function nextPrice(packet: Buffer, step: number): number {
  const price = packet.readUInt32BE(LTP_AT);
  if (packet.length === PACKET_BYTES.ltp) return price + step;
  const index = packet.length === PACKET_BYTES.indexQuote || packet.length === PACKET_BYTES.indexFull;
  const high = packet.readUInt32BE(index ? INDEX_HIGH_AT : HIGH_AT);
  const low = packet.readUInt32BE((index ? INDEX_HIGH_AT : HIGH_AT) + 4);
  if (price + step <= high) return price + step;
  return price - step >= low ? price - step : price;
}
