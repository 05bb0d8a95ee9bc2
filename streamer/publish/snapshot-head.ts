import type { Instrument, InstrumentKind } from '#shared/market/instrument.ts';

/** What never changes of an instrument's snapshots, as JSON bytes up to the value of `mode`. */
export function snapshotHead(instrument: Instrument, kind: InstrumentKind): Uint8Array {
  const constant = {
    type: kind,
    instrument_token: instrument.instrument_token,
    tradingsymbol: instrument.tradingsymbol,
    ...(kind === 'option' || kind === 'future'
      ? { underlying: instrument.name, expiry: instrument.expiry }
      : {}),
    ...(kind === 'option' ? { strike: instrument.strike, option_type: instrument.instrument_type } : {}),
  };
  return new Uint8Array(Buffer.from(`${JSON.stringify(constant).slice(0, -1)},"mode":"`, 'utf8'));
}
