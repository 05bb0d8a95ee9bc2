import type { Account } from '#shared/accounts/types.ts';
import { istMs } from '#shared/market/calendar.ts';

export const NOW_MS = istMs('2026-08-18', '10:00');
export const EXPIRES_MS = istMs('2026-08-19', '06:00');

/** As the table has it after its third login. */
export function anAccount(changes: Partial<Account> = {}): Account {
  return {
    account_id: 'primary',
    user_id: 'SIM001',
    api_key: 'simkey',
    session_version: 3,
    status: 'active',
    created_at: '2026-08-17T03:30:00.000Z',
    session_expires_at_ms: EXPIRES_MS,
    session_change: { change_id: 'login-3', changed_at: '2026-08-18T03:00:00.000Z' },
    ...changes,
  };
}
