import { describe, expect, it } from 'vitest';
import { OptionChains, rowsAround } from '#local/watch/chain.ts';
import { renderChains } from '#local/watch/render.ts';
import { istMs } from '#shared/market/calendar.ts';
import type { OptionSnapshot } from '#shared/market/snapshot.ts';

function option(change: Partial<OptionSnapshot>): OptionSnapshot {
  return {
    type: 'option',
    instrument_token: 1,
    tradingsymbol: 'NIFTY26AUG24200CE',
    mode: 'full',
    underlying: 'NIFTY',
    expiry: '2026-08-25',
    strike: 24200,
    option_type: 'CE',
    ltp: 150.05,
    oi: 1234567,
    iv: 0.1234,
    iv_status: 'ok',
    delta: 0.512,
    gamma: 0.001,
    theta: -10,
    vega: 12,
    rho: 3,
    underlying_ltp: 24212.8,
    exchange_ts: null,
    received_ts: 0,
    is_mock: false,
    ...change,
  };
}

describe('the option chain of npm run watch', () => {
  it('shows a strike as one row, the call left and the put right', () => {
    const chains = new OptionChains();
    chains.apply(option({}));
    chains.apply(option({ instrument_token: 2, option_type: 'PE', ltp: 99, iv: null, delta: null, oi: 65 }));
    const header = { ticksPerSecond: 12.3, marketMs: istMs('2026-08-18', '10:43') };
    expect(renderChains(chains, chains.chains(), header, 5)).toEqual([
      '2026-08-18 10:43:00 IST   12 ticks/s',
      '',
      'NIFTY 2026-08-25   spot 24212.80',
      '            OI  delta   IV %       LTP   strike       LTP   IV %  delta            OI',
      '     12,34,567   0.51   12.3    150.05    24200     99.00      -      -            65',
    ]);
  });

  it('says so where anything shown is synthetic', () => {
    const chains = new OptionChains();
    chains.apply(option({}));
    chains.apply(option({ instrument_token: 2, option_type: 'PE', is_mock: true }));
    const [, , title] = renderChains(chains, chains.chains(), { ticksPerSecond: 0, marketMs: undefined }, 5);
    expect(title).toBe('NIFTY 2026-08-25   spot 24212.80   SIMULATED');
  });

  it('keeps only the newest snapshot of an option', () => {
    const chains = new OptionChains();
    chains.apply(option({ ltp: 1 }));
    chains.apply(option({ ltp: 2 }));
    expect(chains.rows({ underlying: 'NIFTY', expiry: '2026-08-25' }).map((row) => row.call?.ltp)).toEqual([
      2,
    ]);
  });

  it('lists chains by underlying and expiry', () => {
    const chains = new OptionChains();
    chains.apply(option({ instrument_token: 1, expiry: '2026-09-01' }));
    chains.apply(option({ instrument_token: 2, expiry: '2026-08-25' }));
    chains.apply(option({ instrument_token: 3, underlying: 'BANKNIFTY', expiry: '2026-09-29' }));
    expect(chains.chains().map((chain) => `${chain.underlying} ${chain.expiry}`)).toEqual([
      'BANKNIFTY 2026-09-29',
      'NIFTY 2026-08-25',
      'NIFTY 2026-09-01',
    ]);
  });

  it('cuts the rows to those around the spot, also at either end of the chain', () => {
    const rows = [100, 200, 300, 400, 500].map((strike) => ({ strike, call: undefined, put: undefined }));
    const strikes = (spot: number | undefined) => rowsAround(rows, spot, 3).map((row) => row.strike);
    expect(strikes(310)).toEqual([200, 300, 400]);
    expect(strikes(0)).toEqual([100, 200, 300]);
    expect(strikes(9999)).toEqual([300, 400, 500]);
    expect(strikes(undefined)).toEqual([200, 300, 400]);
  });
});
