import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '#shared/clock.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Depth, Ohlc } from '#shared/market/snapshot.ts';

/** What the rooms of the simulator know of each other: the market, the sessions, the faults, the feed. */

/** The exchange's clock: market time may be shifted, fast or stepped; wall time is the machine's. */
export interface ExchangeClock extends Clock {
  readonly speed: number;
  readonly market: 'open' | 'closed' | 'auto';
  set(change: { nowMs?: number; speed?: number; market?: 'open' | 'closed' | 'auto' }): void;
}

/** All that the exchange knows of one instrument now: rupees, units, epoch ms (0: never traded). */
export interface Quote {
  readonly instrument: Instrument;
  readonly last_price: number;
  readonly last_quantity: number;
  readonly average_price: number;
  readonly volume: number;
  readonly buy_quantity: number;
  readonly sell_quantity: number;
  readonly ohlc: Ohlc;
  readonly lastTradeMs: number;
  readonly exchangeMs: number;
  readonly oi: number;
  readonly oi_day_high: number;
  readonly oi_day_low: number;
  readonly lower_circuit_limit: number;
  readonly upper_circuit_limit: number;
  readonly depth: Depth;
}

/** Epoch ms of the candle's start, prices in rupees. */
export interface Candle {
  readonly startMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly oi: number;
}

export interface Market {
  readonly clock: ExchangeClock;
  /** The dump of the simulated day. */
  instruments(): readonly Instrument[];
  byToken(instrumentToken: number): Instrument | undefined;
  bySymbol(exchange: string, tradingsymbol: string): Instrument | undefined;
  quote(instrumentToken: number): Quote | undefined;
  /** Whether orders and ticks of the exchange (`NSE`, `NFO`, ...) flow now. */
  isOpen(exchange: string): boolean;
  /** Called whenever an instrument's price or book changed; returns the way to stop. */
  watch(instrumentToken: number, listener: (quote: Quote) => void): () => void;
  /** Completed and running candles with `fromMs <= startMs <= toMs`, repeatable by seed. */
  candles(instrumentToken: number, intervalMinutes: number, fromMs: number, toMs: number): Candle[];
  /** The day (`yyyy-mm-dd`, IST) of the dump in force. */
  readonly dumpDay: string;
  /** Called after a new day's dump came into force; returns the way to stop. */
  onNewDump(listener: (day: string) => void): () => void;
  /** Called after each pass over the watched instruments: what a feed batches, it sends then. */
  afterPass(listener: () => void): () => void;
  /** What is replayed, or undefined when prices are the model's. */
  readonly replay: ReplayState | undefined;
  /** Stops the market's own timer. */
  close(): void;
}

/** Epoch ms of the first and last recorded minute; `unmatched`: recorded contracts that the dump does not have. */
export interface ReplayState {
  readonly file: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly contracts: number;
  readonly unmatched: number;
}

export interface LiveSession {
  readonly user_id: string;
  readonly api_key: string;
  readonly access_token: string;
}

export interface Sessions {
  /** The live session of the pair, or undefined when it is unknown, logged out or past 06:00 IST. */
  resolve(apiKey: string, accessToken: string): LiveSession | undefined;
  /** Called when a session ends before its time (logout, master logout); returns the way to stop. */
  onEnd(listener: (session: LiveSession) => void): () => void;
}

export const FAULT_KINDS = [
  'order_reply_lost',
  'order_request_lost',
  'order_late',
  'order_check_book',
  'http_error',
  'http_slow',
  'feed_reset',
  'feed_stall',
  'feed_no_heartbeat',
  'feed_refuse',
  'feed_cut_frame',
  'feed_unknown_packet',
  'feed_duplicate',
  'feed_disorder',
  'feed_hold_dead',
  'feed_zero_price',
  'feed_crossed_book',
  'feed_oversize_frame',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** An armed fault; `count`, `probability` or `seconds` says how often it fires. */
export interface ArmedFault {
  readonly id: number;
  readonly kind: FaultKind;
  /** Only this user_id; absent: everybody. */
  readonly account?: string;
  readonly probability?: number;
  readonly count?: number;
  readonly seconds?: number;
  readonly delay_ms?: number;
  readonly path?: string;
  readonly status?: number;
  readonly error_type?: string;
  readonly ms?: number;
  readonly fired: number;
}

/** Where a fault may fire; `named`: only one that has a `path`. */
export interface FaultPlace {
  readonly account: string;
  readonly path?: string;
  readonly named?: boolean;
}

export interface Faults {
  /** The armed fault that fires now for this account (and path), counted; undefined in the normal case. */
  fire(kind: FaultKind, at: FaultPlace): ArmedFault | undefined;
  /** The same without counting: for faults that hold over a time (`seconds`). */
  active(kind: FaultKind, at: { account: string }): ArmedFault | undefined;
  /** Whether anything is armed at all: the feed's hot path asks this first. */
  readonly armed: boolean;
}

export interface FeedConnectionState {
  readonly connection_id: number;
  readonly user_id: string;
  readonly api_key: string;
  readonly instruments: number;
  readonly frames_sent: number;
  readonly ticks_sent: number;
  readonly connected_at: string;
}

export interface Feed {
  /** Takes every WebSocket upgrade of the server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sends `{"type":"order","data":order}` to all connections of the user. */
  sendOrder(userId: string, order: object): void;
  /** Sends `{"type","data"}` to the user's connections, to all without one. @returns to how many. */
  sendMessage(type: 'message' | 'error', data: string, userId?: string): number;
  connections(): FeedConnectionState[];
  /** `/_sim/feed`: how fast ticks leave; without a rate they follow the market. */
  setLoad(load: FeedLoad): void;
  readonly load: FeedLoad;
  close(): Promise<void>;
}

/** `ticksPerSecond`: ticks sent in total over all connections, as a load; undefined or 0: the market's own pace. */
export interface FeedLoad {
  readonly ticksPerSecond?: number;
}
