import type { Context, Hono } from 'hono';
import type { Box } from '../box.ts';
import type { Account } from '../login/accounts.ts';
import { sha256Hex } from '../login/sessions.ts';
import { disturb, success } from './app.ts';
import { type Env, readBody } from './call.ts';
import { Form } from './form.ts';
import { KiteError } from './kite-error.ts';
import { sessionRow } from './user-routes.ts';

const tokenError = (message: string) => new KiteError(403, 'TokenException', message);

export const SESSION_PATHS = ['/session/token', '/session/refresh_token'] as const;

/** Minting, renewing and ending sessions: routes that need no Authorization header. */
export function mountSessions(app: Hono<Env>, box: Box): void {
  for (const prefix of ['', '/oms']) {
    app.post(`${prefix}/session/token`, (c) => mint(c, box));
    app.post(`${prefix}/session/refresh_token`, (c) => renew(c, box));
    app.delete(`${prefix}/session/token`, (c) => end(c, box));
  }
}

async function readForm(c: Context<Env>, box: Box): Promise<{ form: Form; account: Account }> {
  const { fields } = await readBody(c, 'form');
  const form = new Form(new Map([...new URL(c.req.url).searchParams, ...fields]));
  const apiKey = form.text('api_key');
  await disturb(c, box, apiKey);
  const account = box.accounts.byApiKey(apiKey);
  if (account === undefined) throw tokenError('Invalid `api_key`.');
  return { form, account };
}

function checkChecksum(form: Form, account: Account, middle: string): void {
  if (form.text('checksum').toLowerCase() !== sha256Hex(account.api_key + middle + account.api_secret)) {
    throw tokenError('Invalid `checksum`.');
  }
}

async function mint(c: Context<Env>, box: Box): Promise<Response> {
  const { form, account } = await readForm(c, box);
  const requestToken = form.text('request_token');
  checkChecksum(form, account, requestToken);
  if (!box.sessions.takeRequestToken(account.api_key, requestToken)) {
    throw tokenError('Token is invalid or has expired.');
  }
  const session = box.sessions.open(account, box.switches.values.second_login === 'new_token');
  return success(c, sessionRow(account, session));
}

async function renew(c: Context<Env>, box: Box): Promise<Response> {
  const { form, account } = await readForm(c, box);
  const refreshToken = form.text('refresh_token');
  checkChecksum(form, account, refreshToken);
  if (box.sessions.byRefreshToken(account.api_key, refreshToken) === undefined) {
    throw tokenError('Invalid `refresh_token`.');
  }
  return success(c, sessionRow(account, box.sessions.open(account, true)));
}

async function end(c: Context<Env>, box: Box): Promise<Response> {
  const { form, account } = await readForm(c, box);
  const session = form.has('refresh_token')
    ? box.sessions.byRefreshToken(account.api_key, form.text('refresh_token'))
    : box.sessions.resolve(account.api_key, form.text('access_token'));
  if (session === undefined) throw tokenError('Incorrect `api_key` or `access_token`.');
  box.sessions.end(session);
  return success(c, true);
}
