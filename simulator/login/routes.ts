import { randomUUID } from 'node:crypto';
import type { Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Box } from '../box.ts';
import { disturb, disturbUser, success } from '../rest/app.ts';
import { type Env, readBody } from '../rest/call.ts';
import { Form } from '../rest/form.ts';
import { inputError, KiteError } from '../rest/kite-error.ts';
import type { Account } from './accounts.ts';
import { confirmPage, loginPage } from './page.ts';
import { totpMatches } from './totp.ts';

/** Where the app's users land when it has registered no address of its own. */
const LANDING = '/connect/landing';
const COOKIE = 'sim_web_session';

/** Web logins: users half way (password given) and all the way (second factor given). */
export class WebLogins {
  readonly #pending = new Map<string, string>();
  readonly #done = new Map<string, string>();

  begin(userId: string): string {
    const requestId = randomUUID().replaceAll('-', '');
    forgetOldest(this.#pending);
    this.#pending.set(requestId, userId);
    return requestId;
  }

  pendingUser(requestId: string): string | undefined {
    return this.#pending.get(requestId);
  }

  finish(requestId: string, userId: string): string {
    this.#pending.delete(requestId);
    const webSession = randomUUID();
    forgetOldest(this.#done);
    this.#done.set(webSession, userId);
    return webSession;
  }

  userOf(webSession: string | undefined): string | undefined {
    return webSession === undefined ? undefined : this.#done.get(webSession);
  }

  endAllOf(userId: string): void {
    for (const [key, user] of this.#done) if (user === userId) this.#done.delete(key);
  }
}

/** Logins that nobody finishes or ends must not pile up. */
const MOST_LOGINS = 1000;

function forgetOldest(logins: Map<string, string>): void {
  const oldest = logins.keys().next().value;
  if (logins.size >= MOST_LOGINS && oldest !== undefined) logins.delete(oldest);
}

export const LOGIN_PATHS = ['/connect/login', '/connect/finish', '/api/login', '/api/twofa'] as const;

/** The page for people, the steps that scripts take, and the redirect with the request_token. */
export function mountLogin(app: Hono<Env>, box: Box, logins: WebLogins): void {
  app.get('/connect/login', (c) => start(c, box, logins));
  app.post('/connect/login', (c) => submitPage(c, box, logins));
  app.get('/connect/finish', (c) => finishConnect(c, box, logins));
  app.get(LANDING, (c) => c.html(confirmPage(c.req.query('request_token') ?? '')));
  app.post('/api/login', (c) => stepPassword(c, box, logins));
  app.post('/api/twofa', (c) => stepTwoFactor(c, box, logins));
}

const formOf = async (c: Context<Env>) => new Form(new Map((await readBody(c, 'form')).fields));

function checkPassword(box: Box, form: Form): Account {
  const account =
    box.accounts.byUserId(form.text('user_id').toUpperCase()) ?? box.accounts.byUserId(form.text('user_id'));
  if (account === undefined || form.text('password') !== account.password) {
    throw new KiteError(403, 'UserException', 'Invalid user ID or password.');
  }
  return account;
}

/** Codes follow the machine's clock, as the phone that makes them does. */
function checkCode(box: Box, account: Account, code: string): void {
  if (!totpMatches(account.totp_secret, code, box.market.clock.wallMs())) {
    throw new KiteError(403, 'TwoFAException', 'Invalid TOTP.');
  }
}

async function stepPassword(c: Context<Env>, box: Box, logins: WebLogins): Promise<Response> {
  const form = await formOf(c);
  await disturbUser(c, box, form.optionalText('user_id') ?? '');
  const account = checkPassword(box, form);
  return success(c, {
    user_id: account.user_id,
    request_id: logins.begin(account.user_id),
    twofa_type: 'totp',
    twofa_types: ['totp'],
    twofa_status: 'active',
    profile: { user_name: `Simulated ${account.user_id}`, user_shortname: account.user_id, avatar_url: null },
  });
}

async function stepTwoFactor(c: Context<Env>, box: Box, logins: WebLogins): Promise<Response> {
  const form = await formOf(c);
  const userId = form.text('user_id');
  await disturbUser(c, box, userId);
  const account = box.accounts.byUserId(userId);
  const requestId = form.text('request_id');
  if (account === undefined || logins.pendingUser(requestId) !== userId) {
    throw inputError('Invalid `request_id`: log in with user ID and password first');
  }
  form.oneOf('twofa_type', ['totp', 'app_code'], 'totp');
  checkCode(box, account, form.text('twofa_value'));
  const webSession = logins.finish(requestId, userId);
  setCookie(c, COOKIE, webSession, { path: '/', httpOnly: true });
  setCookie(c, 'enctoken', webSession.replaceAll('-', ''), { path: '/' });
  return success(c, { profile: {} });
}

function appOf(c: Context<Env>, box: Box, apiKey: string | undefined): Account {
  if (c.req.query('v') !== undefined && c.req.query('v') !== '3') throw inputError('Invalid `v`: expected 3');
  const account = apiKey === undefined ? undefined : box.accounts.byApiKey(apiKey);
  if (account === undefined) throw inputError('Invalid `api_key`.');
  return account;
}

/** Someone whose browser is logged in goes straight on, everybody else gets the form. */
async function start(c: Context<Env>, box: Box, logins: WebLogins): Promise<Response> {
  await disturb(c, box, c.req.query('api_key'));
  const app = appOf(c, box, c.req.query('api_key'));
  const query = new URL(c.req.url).searchParams;
  if (logins.userOf(getCookie(c, COOKIE)) === app.user_id) {
    query.set('authorize', 'true');
    return c.redirect(`/connect/finish?${query}`);
  }
  return c.html(loginPage(app.api_key, query.get('redirect_params') ?? '', ''));
}

async function submitPage(c: Context<Env>, box: Box, logins: WebLogins): Promise<Response> {
  const form = await formOf(c);
  await disturb(c, box, form.optionalText('api_key'));
  const app = appOf(c, box, form.optionalText('api_key'));
  const redirectParams = form.optionalText('redirect_params') ?? '';
  try {
    const account = checkPassword(box, form);
    checkCode(box, account, form.text('totp'));
    if (account.user_id !== app.user_id)
      throw new KiteError(403, 'UserException', 'This app is not enabled for the user.');
    setCookie(c, COOKIE, logins.finish(logins.begin(account.user_id), account.user_id), {
      path: '/',
      httpOnly: true,
    });
    return c.redirect(redirectWithToken(c, box, app, redirectParams));
  } catch (error) {
    if (!(error instanceof KiteError)) throw error;
    return c.html(loginPage(app.api_key, redirectParams, error.message), 403);
  }
}

async function finishConnect(c: Context<Env>, box: Box, logins: WebLogins): Promise<Response> {
  await disturb(c, box, c.req.query('api_key'));
  const app = appOf(c, box, c.req.query('api_key'));
  if (logins.userOf(getCookie(c, COOKIE)) !== app.user_id)
    throw new KiteError(403, 'TokenException', 'Not logged in.');
  return c.redirect(redirectWithToken(c, box, app, c.req.query('redirect_params') ?? ''));
}

function redirectWithToken(c: Context<Env>, box: Box, app: Account, redirectParams: string): string {
  const target = new URL(app.redirect_url ?? LANDING, c.req.url);
  for (const [name, value] of new URLSearchParams(redirectParams)) target.searchParams.set(name, value);
  const lifeSeconds = box.switches.values.request_token_seconds;
  target.searchParams.set('action', 'login');
  target.searchParams.set('type', 'login');
  target.searchParams.set('status', 'success');
  target.searchParams.set('request_token', box.sessions.issueRequestToken(app.api_key, lifeSeconds));
  return target.href;
}
