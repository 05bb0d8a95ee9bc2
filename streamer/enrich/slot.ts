import { expiryMs } from '#shared/market/calendar.ts';
import {
  IV_FAILURES,
  type IvFailure,
  newGreeksBuffer,
  type OptionTerms,
  type PricingModel,
} from '#shared/market/greeks.ts';
import { type FeedMode, type Instrument, type InstrumentKind, kindOf } from '#shared/market/instrument.ts';
import type { IvStatus } from '#shared/market/snapshot.ts';
import { FIELD_COUNT, priceDecimals } from '../feed/decode.ts';
import type { Splice } from '../feed/splices.ts';
import { snapshotHead } from '../publish/snapshot-head.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Why an option has no fresh volatility; `no_forward`: no strike had prices of call and put. */
export type IvReason = IvFailure | 'no_forward';
export const IV_REASONS: readonly IvReason[] = [...IV_FAILURES, 'no_forward'];

/** What pricing keeps of one option between its ticks. */
export interface OptionState {
  readonly terms: Mutable<OptionTerms>;
  readonly expiryMs: number;
  /** Where the spot price comes from; undefined while nothing carries it. */
  underlying: Slot | undefined;
  /** IV and Greeks as GREEK orders them; of use unless `status` is none. */
  readonly greeks: Float64Array;
  status: IvStatus;
  reason: IvReason;
  /** The last good volatility, a fraction a year (0: none yet), and the market time it held at. */
  lastIv: number;
  lastGoodMs: number;
}

/** What a synthetic twin (see `after-hours/`) keeps of the slot whose prices it moves. */
export interface MockState {
  readonly real: Slot;
  /** Which random path it follows. */
  readonly pathSeed: number;
  /** Raw price units of one tick. */
  readonly tick: number;
  /** The time that the real values hold at, epoch ms. */
  readonly atMs: number;
  /** How far it has moved: a fraction of the price, of an option of its underlying's. */
  drift: number;
  /** What an option is priced from: what its last real packet left, or could have left. */
  base: OptionState | undefined;
}

/**
 * One instrument of an account: the newest decoded values and what hangs on them. The same object for as long as
 * the instrument is held, so that a tick allocates nothing.
 */
export class Slot {
  readonly token: number;
  readonly instrument: Instrument;
  readonly kind: InstrumentKind;
  readonly decimals: number;
  /** Rupees of one raw price unit. */
  readonly unit: number;
  /** Held only because options need its price: neither published nor counted. */
  published: boolean;
  readonly fields = new Float64Array(FIELD_COUNT);
  readonly option: OptionState | undefined;
  /** Of a synthetic twin alone: what it stands in for. */
  readonly mock: MockState | undefined;
  /** Constant part of its JSON. */
  readonly head: Uint8Array;
  /** Body length of the newest packet, 0 before the first: it says which fields hold values. */
  packetLength = 0;
  /** Market time of arrival, epoch ms. */
  receivedMs = 0;
  rejectsInRow = 0;
  /** Whether the next packet's time, and its volume, are compared with the values before. */
  comparesTime = false;
  comparesVolume = false;
  /** Whose values readers see: its own, or out of hours those of its synthetic twin. */
  shown: Slot = this;
  /** Waits to be published, and its values are being replaced meanwhile. */
  pending = false;
  /** The envelope that carried, or will carry, the newest values that were serialised. */
  seq = 0;
  /** Differs from the last-value hash. */
  dirty = false;
  removed = false;
  /** The mode that the broker was asked for. */
  mode: FeedMode = 'full';
  /** The connection whose packets are taken as they come; 0: `splice` says what is taken. */
  link = 0;
  splice: Splice | undefined;

  constructor(
    instrument: Instrument,
    published: boolean,
    model: PricingModel,
    rates: PricingRates,
    mock?: MockState,
  ) {
    this.token = instrument.instrument_token;
    this.instrument = instrument;
    this.kind = kindOf(instrument);
    this.decimals = priceDecimals(this.token);
    this.unit = 10 ** -this.decimals;
    this.published = published;
    this.option = this.kind === 'option' ? newOptionState(instrument, model, rates) : undefined;
    this.head = snapshotHead(instrument, this.kind);
    this.mock = mock;
  }
}

/** Continuously compounded, fractions a year. */
export interface PricingRates {
  readonly rate: number;
  readonly dividendYield: number;
}

function newOptionState(instrument: Instrument, model: PricingModel, rates: PricingRates): OptionState {
  return {
    terms: {
      model,
      type: instrument.instrument_type as 'CE' | 'PE',
      underlying: 0,
      strike: instrument.strike,
      years: 0,
      ...rates,
    },
    expiryMs: expiryMs(instrument.expiry),
    underlying: undefined,
    greeks: newGreeksBuffer(),
    status: 'none',
    reason: 'no_price',
    lastIv: 0,
    lastGoodMs: 0,
  };
}
