/**
 * A row of the broker's instruments dump, under its own column names.
 * `instrument_token` identifies it for one trading day only (tokens are recycled); `exchange:tradingsymbol` for longer.
 * Prices and strikes are rupees, `expiry` is `yyyy-mm-dd` or empty.
 */
export interface Instrument {
  readonly instrument_token: number;
  readonly exchange_token: number;
  readonly tradingsymbol: string;
  readonly name: string;
  readonly last_price: number;
  readonly expiry: string;
  readonly strike: number;
  readonly tick_size: number;
  readonly lot_size: number;
  readonly instrument_type: 'EQ' | 'FUT' | 'CE' | 'PE';
  readonly segment: string;
  readonly exchange: string;
}

/** Where a tick of the instrument goes: one Redis channel a kind. */
export type InstrumentKind = 'underlying' | 'option' | 'future' | 'equity';

export function kindOf(instrument: Pick<Instrument, 'instrument_type' | 'segment'>): InstrumentKind {
  switch (instrument.instrument_type) {
    case 'CE':
    case 'PE':
      return 'option';
    case 'FUT':
      return 'future';
    case 'EQ':
      return instrument.segment === 'INDICES' ? 'underlying' : 'equity';
  }
}

/** The low byte of an instrument_token names the segment (seen to hold for every row of real dumps). */
export const SEGMENT = {
  NSE: 1,
  NFO: 2,
  CDS: 3,
  BSE: 4,
  BFO: 5,
  BCD: 6,
  MCX: 7,
  MCXSX: 8,
  INDICES: 9,
} as const;

export function segmentOf(instrumentToken: number): number {
  return instrumentToken & 0xff;
}

export type FeedMode = 'ltp' | 'quote' | 'full';
export const FEED_MODES: readonly FeedMode[] = ['ltp', 'quote', 'full'];

/** The richer of two modes: full over quote over ltp. */
export function higherMode(a: FeedMode, b: FeedMode): FeedMode {
  return FEED_MODES.indexOf(a) >= FEED_MODES.indexOf(b) ? a : b;
}

/** Whether ticks of both carry the same name and options are priced alike: a token may name another contract on another day. */
export function hasSameTerms(a: Instrument, b: Instrument): boolean {
  return a.tradingsymbol === b.tradingsymbol && a.expiry === b.expiry && a.strike === b.strike;
}
