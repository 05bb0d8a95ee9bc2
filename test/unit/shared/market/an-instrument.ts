import type { Instrument } from '#shared/market/instrument.ts';

/** NIFTY's call of 18 Aug 2026 at 26,050, changed as wanted. */
export function anInstrument(changes: Partial<Instrument> = {}): Instrument {
  return {
    instrument_token: 14_512_642,
    exchange_token: 56_690,
    tradingsymbol: 'NIFTY2681826050CE',
    name: 'NIFTY',
    last_price: 0,
    expiry: '2026-08-18',
    strike: 26_050,
    tick_size: 0.05,
    lot_size: 65,
    instrument_type: 'CE',
    segment: 'NFO-OPT',
    exchange: 'NFO',
    ...changes,
  };
}
