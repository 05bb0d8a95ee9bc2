import type { EquitySnapshot } from '#shared/market/snapshot.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';

export function tickOf(token: number, ltp: number, received_ts = 0): EquitySnapshot {
  return {
    type: 'equity',
    instrument_token: token,
    tradingsymbol: `E${token}`,
    mode: 'ltp',
    ltp,
    exchange_ts: null,
    received_ts,
    is_mock: false,
  };
}

export function envelopeOf(
  seq: number,
  prices: Readonly<Record<number, number>>,
  { lease = 1, account_id = 'primary', ts = 0 } = {},
): TickEnvelope {
  const ticks = Object.entries(prices).map(([token, ltp]) => tickOf(Number(token), ltp, ts));
  return { v: 1, account_id, lease, seq, ts, folded: 0, ticks };
}
