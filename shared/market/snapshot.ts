import type { FeedMode } from './instrument.ts';

/** One side level of the book: price in rupees, quantity in units, number of orders. */
export interface DepthLevel {
  readonly price: number;
  readonly quantity: number;
  readonly orders: number;
}

export interface Depth {
  readonly buy: readonly DepthLevel[];
  readonly sell: readonly DepthLevel[];
}

export interface Ohlc {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  /** Yesterday's close, as the broker sends it. */
  readonly close: number;
}

/** What every published snapshot has; fields that the feed mode does not carry are absent. Times are epoch ms. */
interface SnapshotBase {
  readonly instrument_token: number;
  readonly tradingsymbol: string;
  readonly mode: FeedMode;
  readonly ltp: number;
  readonly ohlc?: Ohlc;
  /** Exchange time; null where the packet carried none. */
  readonly exchange_ts: number | null;
  readonly received_ts: number;
  readonly is_mock: boolean;
}

interface TradedFields {
  readonly volume?: number;
  readonly oi?: number;
  readonly bid?: number;
  readonly ask?: number;
  readonly depth?: Depth;
}

export interface UnderlyingSnapshot extends SnapshotBase {
  readonly type: 'underlying';
}

export interface EquitySnapshot extends SnapshotBase, TradedFields {
  readonly type: 'equity';
}

export interface FutureSnapshot extends SnapshotBase, TradedFields {
  readonly type: 'future';
  readonly underlying: string;
  readonly expiry: string;
}

/** `none` comes with `iv: null`, null Greeks and a reason. */
export type IvStatus = 'ok' | 'stale' | 'none';

export interface OptionSnapshot extends SnapshotBase, TradedFields {
  readonly type: 'option';
  readonly underlying: string;
  readonly expiry: string;
  readonly strike: number;
  readonly option_type: 'CE' | 'PE';
  /** Fraction a year: 0.132 is 13.2 %. */
  readonly iv: number | null;
  readonly iv_status: IvStatus;
  /** Why there is no fresh IV; absent when iv_status is ok. */
  readonly iv_reason?: string;
  readonly delta: number | null;
  readonly gamma: number | null;
  /** Rupees a calendar day. */
  readonly theta: number | null;
  /** Rupees a volatility point. */
  readonly vega: number | null;
  /** Rupees a percentage point of interest. */
  readonly rho: number | null;
  readonly underlying_ltp: number | null;
}

export type Snapshot = UnderlyingSnapshot | EquitySnapshot | FutureSnapshot | OptionSnapshot;
