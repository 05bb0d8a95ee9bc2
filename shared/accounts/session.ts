import { addDays, istDay, istMs } from '../market/calendar.ts';
import type { Account } from './types.ts';

const TOKEN_ENDS_AT = '06:00';

/** An access token ends at the next 06:00 IST (kite.trade/docs/connect/v3/user). */
export function sessionExpiryMs(loggedInAtMs: number): number {
  const day = istDay(loggedInAtMs);
  const today = istMs(day, TOKEN_ENDS_AT);
  return loggedInAtMs < today ? today : istMs(addDays(day, 1), TOKEN_ENDS_AT);
}

export function hasLiveSession(account: Account, nowMs: number): boolean {
  return (
    account.status === 'active' &&
    account.session_version > 0 &&
    account.session_expires_at_ms !== undefined &&
    nowMs < account.session_expires_at_ms
  );
}
