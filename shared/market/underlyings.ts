import type { Instrument } from './instrument.ts';

/** An index whose options are traded, and the instrument that carries its spot price. */
export interface Underlying {
  /** The dump's `name` of its derivatives. */
  readonly name: string;
  /** The index's own row: exchange and tradingsymbol. */
  readonly exchange: 'NSE' | 'BSE';
  readonly tradingsymbol: string;
  /** Index tokens have been stable for years; a dump's row wins where it differs. */
  readonly instrument_token: number;
  /** Where its derivatives trade. */
  readonly derivatives_exchange: 'NFO' | 'BFO';
}

/** Tokens from NSE dumps; SENSEX and BANKEX from public repositories, (exchange_token << 8) | 9. */
export const UNDERLYINGS: readonly Underlying[] = [
  {
    name: 'NIFTY',
    exchange: 'NSE',
    tradingsymbol: 'NIFTY 50',
    instrument_token: 256265,
    derivatives_exchange: 'NFO',
  },
  {
    name: 'BANKNIFTY',
    exchange: 'NSE',
    tradingsymbol: 'NIFTY BANK',
    instrument_token: 260105,
    derivatives_exchange: 'NFO',
  },
  {
    name: 'FINNIFTY',
    exchange: 'NSE',
    tradingsymbol: 'NIFTY FIN SERVICE',
    instrument_token: 257801,
    derivatives_exchange: 'NFO',
  },
  {
    name: 'MIDCPNIFTY',
    exchange: 'NSE',
    tradingsymbol: 'NIFTY MID SELECT',
    instrument_token: 288009,
    derivatives_exchange: 'NFO',
  },
  {
    name: 'NIFTYNXT50',
    exchange: 'NSE',
    tradingsymbol: 'NIFTY NEXT 50',
    instrument_token: 270857,
    derivatives_exchange: 'NFO',
  },
  {
    name: 'SENSEX',
    exchange: 'BSE',
    tradingsymbol: 'SENSEX',
    instrument_token: 265,
    derivatives_exchange: 'BFO',
  },
  {
    name: 'BANKEX',
    exchange: 'BSE',
    tradingsymbol: 'BANKEX',
    instrument_token: 274441,
    derivatives_exchange: 'BFO',
  },
];

export function underlyingOf(name: string): Underlying | undefined {
  return UNDERLYINGS.find((underlying) => underlying.name === name);
}

/** An index's row as the broker's dump has it. */
export function indexRow(
  index: Pick<Underlying, 'instrument_token' | 'tradingsymbol' | 'exchange'>,
): Instrument {
  return {
    instrument_token: index.instrument_token,
    exchange_token: index.instrument_token >>> 8,
    tradingsymbol: index.tradingsymbol,
    name: index.tradingsymbol,
    last_price: 0,
    expiry: '',
    strike: 0,
    tick_size: 0,
    lot_size: 0,
    instrument_type: 'EQ',
    segment: 'INDICES',
    exchange: index.exchange,
  };
}
