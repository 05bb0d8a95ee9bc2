import { describe, expect, it } from 'vitest';
import { quietSinceMs, type ShownAccount } from './support/health-watch.ts';

const NOW_MS = Date.parse('2026-08-18T05:30:00.500Z');
const LINK = { state: 'open', instruments: 40, last_tick_age_ms: 300 };
const WELL: ShownAccount = {
  lease: 7,
  unplaced: 0,
  last_tick_at: new Date(NOW_MS - 300).toISOString(),
  connections: [LINK, LINK],
};

describe('what health says of the flow of ticks', () => {
  it.each<[string, Partial<ShownAccount>]>([
    ['on both links', {}],
    [
      'beside a link that carries nothing',
      { connections: [LINK, { ...LINK, instruments: 0, last_tick_age_ms: null }] },
    ],
    ['with a short pause on one', { connections: [LINK, { ...LINK, last_tick_age_ms: 1_100 }] }],
  ])('they flow: %s', (_how, change) => {
    expect(quietSinceMs({ ...WELL, ...change }, NOW_MS)).toBeUndefined();
  });

  it.each<[string, Partial<ShownAccount>, number]>([
    ['a link is away', { connections: [LINK, { ...LINK, state: 'waiting' }] }, 300],
    [
      'a link is open and brought nothing yet',
      { connections: [LINK, { ...LINK, last_tick_age_ms: null }] },
      300,
    ],
    ['one of two links is silent', { connections: [LINK, { ...LINK, last_tick_age_ms: 4_000 }] }, 4_000],
    ['some have no room', { unplaced: 1 }, 300],
    ['the lease is gone', { lease: null }, 300],
    ['the account is silent', { last_tick_at: new Date(NOW_MS - 9_000).toISOString() }, 9_000],
  ])('they do not, from a second before the newest tick on: %s', (_why, change, agoMs) => {
    expect(quietSinceMs({ ...WELL, ...change }, NOW_MS)).toBe(NOW_MS - agoMs - 1_000);
  });
});
