import { istDateTime } from '#shared/market/calendar.ts';
import type { Box } from '../box.ts';
import type { Account } from '../login/accounts.ts';
import type { Session } from '../login/sessions.ts';
import { marginsRow, SEGMENTS, type Segment } from '../trading/margins.ts';
import type { Route } from './call.ts';

export function userRoutes(box: Box): Route[] {
  return [
    { method: 'GET', path: '/user/profile', limit: 'other', handle: ({ session }) => profile(session) },
    {
      method: 'GET',
      path: '/user/profile/full',
      limit: 'other',
      handle: ({ session }) => fullProfile(session),
    },
    {
      method: 'GET',
      path: '/user/margins',
      limit: 'other',
      handle: ({ session }) =>
        Object.fromEntries(SEGMENTS.map((segment) => [segment, margins(box, session.user_id, segment)])),
    },
    {
      method: 'GET',
      path: '/user/margins/:segment',
      limit: 'other',
      handle: ({ session, form }) => margins(box, session.user_id, form.oneOf('segment', SEGMENTS)),
    },
  ];
}

export function margins(box: Box, userId: string, segment: Segment) {
  const desk = box.broker.desk(userId);
  return marginsRow(desk.opening[segment], 0, desk.funds(segment));
}

export function profile({ user_id }: Pick<Session, 'user_id'>) {
  return {
    user_id,
    user_type: 'individual',
    email: `${user_id.toLowerCase()}@example.com`,
    user_name: `Simulated ${user_id}`,
    user_shortname: user_id,
    broker: 'ZERODHA',
    exchanges: ['NSE', 'NFO', 'BFO', 'CDS', 'BSE', 'MCX', 'BCD', 'MF'],
    products: ['CNC', 'NRML', 'MIS', 'BO', 'CO', 'MTF'],
    order_types: ['MARKET', 'LIMIT', 'SL', 'SL-M'],
    avatar_url: '',
    meta: { demat_consent: 'physical' },
  };
}

function fullProfile(session: Session) {
  return {
    ...profile(session),
    meta: { poa: 'physical', silo: '', account_blocks: [] },
    phone: '*0000',
    pan: '*000A',
    twofa_type: 'totp',
    twofa_timestamp: istDateTime(session.loginMs),
    password_timestamp: istDateTime(session.loginMs),
    bank_accounts: [{ name: 'SIMULATED BANK', branch: 'MAIN', account: '*0000' }],
    dp_ids: ['1208160000000001'],
    tags: [],
  };
}

/** The answer to a login: no field says when it ends. */
export function sessionRow(account: Account, session: Session) {
  return {
    ...profile(session),
    api_key: account.api_key,
    access_token: session.access_token,
    public_token: session.public_token,
    enctoken: session.enctoken,
    refresh_token: session.refresh_token,
    silo: '',
    login_time: istDateTime(session.loginMs),
  };
}
