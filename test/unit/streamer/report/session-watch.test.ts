import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Account } from '#shared/accounts/types.ts';
import { SessionWatch } from '#streamer/report/session-watch.ts';
import { anAccount, EXPIRES_MS, NOW_MS } from './an-account.ts';

const REVIVE_MS = 10_000;
const watchOf = (changes: Partial<Account> = {}) => new SessionWatch(anAccount(changes), REVIVE_MS);
const LOGIN_4 = { change_id: 'login-4', changed_at: '2026-08-18T05:00:00.000Z' };
const dead = (change_id: string) => ({
  status: 'login_required' as const,
  session_change: { ...LOGIN_4, change_id, reason: 'refused' as const },
});

describe('a session', () => {
  it('is unknown until the broker takes or refuses it', () => {
    const watch = watchOf();
    expect(watch.state).toBe('unknown');
    watch.accepted(3, 0);
    expect(watch.state).toBe('ok');
    watch.died(3, NOW_MS);
    expect(watch.state).toBe('login_required');
  });

  it('that dies is news once, with the reason, however often it is refused', () => {
    const watch = watchOf();
    watch.died(3, NOW_MS);
    const { news } = watch;
    expect(news).toMatchObject({ type: 'died', version: 3, change: { reason: 'refused' } });
    watch.died(3, NOW_MS + 1_000);
    expect(watch.news).toBe(news);
    watch.told(news!);
    watch.died(3, NOW_MS + 2_000);
    expect(watch.news).toBeUndefined();
  });

  it('that is refused past its end has expired', () => {
    const reasonAt = (nowMs: number) => {
      const watch = watchOf();
      watch.died(3, nowMs);
      return watch.news?.change.reason;
    };
    expect(reasonAt(EXPIRES_MS)).toBe('expired');
    // Two clocks differ by a little.
    expect(reasonAt(EXPIRES_MS - 1_000)).toBe('expired');
    expect(reasonAt(EXPIRES_MS - 10_000)).toBe('refused');
  });

  it('past its end goes on while a link is left, and is dead without one', () => {
    const watch = watchOf();
    watch.accepted(3, 0);
    watch.look(true, EXPIRES_MS, 1);
    expect(watch.state).toBe('ok');
    watch.look(false, EXPIRES_MS - 1, 2);
    expect(watch.state).toBe('ok');
    watch.look(false, EXPIRES_MS, 3);
    expect(watch.news).toMatchObject({ type: 'died', change: { reason: 'expired' } });
  });

  it('that the broker takes again stays alive when the table shows its death before having answered', () => {
    const watch = watchOf();
    watch.accepted(3, 0);
    watch.died(3, NOW_MS);
    const died = watch.news!;
    watch.accepted(3, 1_000);
    watch.read(anAccount({ status: 'login_required', session_change: died.change }));
    watch.told(died);
    watch.look(true, NOW_MS, 1_000 + REVIVE_MS);
    expect([watch.state, watch.news?.type]).toEqual(['ok', 'lives']);
  });

  it('with a newer version begins anew, and what is said of the old one is no news', () => {
    const watch = watchOf();
    watch.died(3, NOW_MS);
    watch.read(anAccount({ session_version: 4, session_change: LOGIN_4 }));
    expect(watch).toMatchObject({ state: 'unknown', version: 4, news: undefined });
    watch.died(3, NOW_MS);
    watch.accepted(3, 0);
    expect(watch).toMatchObject({ state: 'unknown', news: undefined });
    watch.accepted(4, 0);
    watch.read(anAccount());
    expect(watch).toMatchObject({ state: 'ok', version: 4 });
  });

  it('that the broker names first is taken before the table shows it', () => {
    const watch = watchOf();
    watch.accepted(4, 0);
    expect(watch).toMatchObject({ state: 'ok', version: 4, expiresAtMs: undefined });
    watch.read(anAccount({ session_version: 4, session_change: LOGIN_4 }));
    expect(watch).toMatchObject({ state: 'ok', expiresAtMs: EXPIRES_MS });
  });

  it('that the table calls dead is so without being told again', () => {
    expect(watchOf(dead('by another')).state).toBe('login_required');
    const watch = watchOf();
    watch.accepted(3, 0);
    watch.read(anAccount(dead('by another')));
    expect(watch).toMatchObject({ state: 'login_required', news: undefined });
    watch.died(3, NOW_MS);
    expect(watch.news).toBeUndefined();
  });

  it('that the broker takes again after all is alive once it was taken for a while', () => {
    const watch = watchOf();
    watch.died(3, NOW_MS);
    watch.told(watch.news!);
    watch.accepted(3, 1_000);
    watch.look(true, NOW_MS, 1_000 + REVIVE_MS - 1);
    expect(watch.news).toBeUndefined();
    watch.look(true, NOW_MS, 1_000 + REVIVE_MS);
    expect(watch.news).toMatchObject({ type: 'lives', version: 3, change: { reason: 'accepted_again' } });
  });

  it('that is taken for a moment only was never alive: its death is not told twice', () => {
    const watch = watchOf();
    watch.died(3, NOW_MS);
    watch.told(watch.news!);
    watch.accepted(3, 1_000);
    watch.died(3, NOW_MS + 2_000);
    watch.look(false, NOW_MS + 3_000, 1_000 + 2 * REVIVE_MS);
    expect(watch).toMatchObject({ state: 'login_required', news: undefined });
  });

  it('is not misled by an index that still shows an older state, its own report included', () => {
    const watch = watchOf();
    watch.died(3, NOW_MS);
    const own = watch.news!;
    watch.told(own);
    watch.accepted(3, 0);
    watch.read(anAccount(dead(own.change.change_id)));
    watch.read(anAccount());
    expect(watch.state).toBe('ok');
    watch.look(true, NOW_MS, REVIVE_MS);
    watch.told(watch.news!);
    watch.read(anAccount(dead(own.change.change_id)));
    expect(watch.state).toBe('ok');
  });

  it('over any story: one death a version and revival, and the newest version counts', () => {
    const step = fc.record({
      kind: fc.constantFrom('died', 'accepted', 'read', 'look', 'tell'),
      version: fc.integer({ min: 2, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const watch = watchOf();
        const told: string[] = [];
        let newest = 3;
        steps.forEach(({ kind, version }, index) => {
          if (kind !== 'look' && kind !== 'tell') newest = Math.max(newest, version);
          const steadyMs = index * 4_000;
          if (kind === 'died') watch.died(version, NOW_MS);
          if (kind === 'accepted') watch.accepted(version, steadyMs);
          if (kind === 'read') {
            const session_change = { ...LOGIN_4, change_id: `login-${version}` };
            watch.read(anAccount({ session_version: version, session_change }));
          }
          if (kind === 'look') watch.look(true, NOW_MS, steadyMs);
          if (kind === 'tell' && watch.news !== undefined) {
            told.push(`${watch.news.version} ${watch.news.type}`);
            watch.told(watch.news);
          }
          expect(watch.version).toBe(newest);
        });
        told.forEach((each, index) => {
          const [version, type] = each.split(' ');
          const before = told.slice(0, index).findLast((other) => other.startsWith(`${version} `));
          if (type === 'died') expect(before).not.toBe(each);
        });
      }),
      { seed: 6 },
    );
  });
});
