import { expect, test } from 'vitest';
import { READY_ACCOUNT } from '#simulator/login/accounts.ts';
import { SessionStore, sessionEndMs } from '#simulator/login/sessions.ts';
import { HandClock } from '../hand-market.ts';

const ist = (time: string) => Date.parse(`${time}+05:30`);

test('a session ends at the next 06:00 IST, also after a login in the small hours', () => {
  expect(sessionEndMs(ist('2026-11-18T10:00:00'))).toBe(ist('2026-11-19T06:00:00'));
  expect(sessionEndMs(ist('2026-11-18T05:59:59'))).toBe(ist('2026-11-18T06:00:00'));
  expect(sessionEndMs(ist('2026-11-18T06:00:00'))).toBe(ist('2026-11-19T06:00:00'));
});

test('a second login of the day gives the same token, or a new one that ends the old', () => {
  const store = new SessionStore(new HandClock());
  const first = store.open(READY_ACCOUNT, false);
  expect(store.open(READY_ACCOUNT, false)).toBe(first);
  const ended: string[] = [];
  store.onEnd((session) => ended.push(session.access_token));
  const second = store.open(READY_ACCOUNT, true);
  expect(ended).toEqual([first.access_token]);
  expect(store.resolve('simkey', first.access_token)).toBeUndefined();
  expect(store.resolve('simkey', second.access_token)).toBe(second);
  expect(store.resolve('other', second.access_token)).toBeUndefined();
});

test('a request_token is good once, for its app alone and for its seconds of machine time', () => {
  const clock = new HandClock();
  const store = new SessionStore(clock);
  const token = store.issueRequestToken('simkey', 60);
  expect(store.takeRequestToken('other', token)).toBe(false);
  expect(store.takeRequestToken('simkey', token)).toBe(true);
  expect(store.takeRequestToken('simkey', token)).toBe(false);
  const old = store.issueRequestToken('simkey', 60);
  clock.wall += 60_000;
  expect(store.takeRequestToken('simkey', old)).toBe(false);
});

test('master logout ends every session of the user and tells of each', () => {
  const store = new SessionStore(new HandClock());
  store.open(READY_ACCOUNT, false);
  store.open({ ...READY_ACCOUNT, api_key: 'second' }, false);
  store.open({ ...READY_ACCOUNT, api_key: 'third', user_id: 'OTHER' }, false);
  const ended: string[] = [];
  store.onEnd((session) => ended.push(session.api_key));
  expect(store.endAllOf('SIM001')).toBe(2);
  expect(ended).toEqual(['simkey', 'second']);
  expect(store.list().map((session) => session.api_key)).toEqual(['third']);
});

test('a session whose day is over is told of once; its refresh token still opens the next one, itself only once', () => {
  const clock = new HandClock();
  const store = new SessionStore(clock);
  const session = store.open(READY_ACCOUNT, false);
  const ended: string[] = [];
  store.onEnd(({ access_token }) => ended.push(access_token));
  store.endOverdue();
  expect(ended).toEqual([]);
  clock.ms = session.expiresMs;
  store.endOverdue();
  store.endOverdue();
  expect(ended).toEqual([session.access_token]);
  expect(store.byRefreshToken('simkey', session.refresh_token)).toBe(session);
  const next = store.open(READY_ACCOUNT, true);
  expect(store.byRefreshToken('simkey', session.refresh_token)).toBeUndefined();
  expect(store.list()).toEqual([next]);
  expect(ended).toEqual([session.access_token]);
});
