import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasLiveSession, sessionExpiryMs } from '#shared/accounts/session.ts';
import type { Account } from '#shared/accounts/types.ts';
import { istDateTime, istMs } from '#shared/market/calendar.ts';

const account: Account = {
  account_id: 'primary',
  user_id: 'SIM001',
  api_key: 'simkey',
  session_version: 1,
  status: 'active',
  created_at: '2026-08-18T03:00:00.000Z',
  session_expires_at_ms: istMs('2026-08-19', '06:00'),
};

describe('a session', () => {
  it.each([
    ['2026-08-18', '09:00', '2026-08-19 06:00:00'],
    ['2026-08-18', '05:59:59', '2026-08-18 06:00:00'],
    ['2026-08-18', '06:00', '2026-08-19 06:00:00'],
    ['2026-08-31', '23:59:59', '2026-09-01 06:00:00'],
  ])('of %s %s IST ends at %s', (day, time, end) => {
    expect(istDateTime(sessionExpiryMs(istMs(day, time)))).toBe(end);
  });

  it('always ends within a day, and later than it began', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (nowMs) => {
        const life = sessionExpiryMs(nowMs) - nowMs;
        expect(life).toBeGreaterThan(0);
        expect(life).toBeLessThanOrEqual(86_400_000);
      }),
      { seed: 12 },
    );
  });

  it('lives until the millisecond before its end, on an active account only', () => {
    const endMs = account.session_expires_at_ms!;
    expect(hasLiveSession(account, endMs - 1)).toBe(true);
    expect(hasLiveSession(account, endMs)).toBe(false);
    expect(hasLiveSession({ ...account, status: 'disabled' }, endMs - 1)).toBe(false);
    expect(hasLiveSession({ ...account, status: 'login_required' }, endMs - 1)).toBe(false);
    expect(hasLiveSession({ ...account, session_version: 0 }, endMs - 1)).toBe(false);
  });
});
