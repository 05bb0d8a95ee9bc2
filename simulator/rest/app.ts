import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Box } from '../box.ts';
import {
  type Call,
  credentialsOf,
  deadSession,
  type Env,
  faultPath,
  type Route,
  readBody,
  remoteAddress,
} from './call.ts';
import { Form } from './form.ts';
import { KiteError, notFound } from './kite-error.ts';

const MAX_BODY_BYTES = 1024 * 1024;

export const success = (c: Context<Env>, data: unknown) => c.json({ status: 'success', data: data ?? null });

export function failure(c: Context<Env>, error: KiteError): Response {
  const { status, message, error_type, data } = error;
  return c.json({ status: 'error', message, data, error_type }, status as ContentfulStatusCode);
}

/** Routes that need a live session, each under its own limit, with the prefix of the sandbox where it is on. */
export function mountRoutes(app: Hono<Env>, box: Box, routes: readonly Route[]): void {
  for (const prefix of ['', '/oms']) {
    for (const route of routes) {
      app.on(route.method, prefix + route.path, (c) => answer(c, box, route, prefix !== ''));
    }
  }
}

/** Known paths under another method answer 405, as the broker's router does. */
export function mountWrongMethods(
  app: Hono<Env>,
  prefixes: readonly string[],
  paths: Iterable<string>,
): void {
  for (const path of new Set(paths)) {
    for (const prefix of prefixes) {
      app.all(prefix + path, (c) =>
        failure(c, new KiteError(405, 'GeneralException', `Method ${c.req.method} not allowed`)),
      );
    }
  }
}

export function newApp(): Hono<Env> {
  const app = new Hono<Env>();
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => failure(c, tooLarge()) }));
  app.onError((error, c) => failure(c, error instanceof KiteError ? error : unexpected(error)));
  app.notFound((c) => failure(c, notFound(`Route not found: ${c.req.method} ${c.req.path}`)));
  return app;
}

const tooLarge = () => new KiteError(413, 'InputException', `Body larger than ${MAX_BODY_BYTES} bytes`);

/** A defect of the simulator itself: said aloud on stderr, for it must never pass for the broker's own 500. */
function unexpected(error: unknown): KiteError {
  console.error('simulator defect:', error);
  return new KiteError(500, 'GeneralException', `Simulator defect: ${(error as Error).message}`);
}

async function answer(c: Context<Env>, box: Box, route: Route, prefixed: boolean): Promise<Response> {
  checkPrefix(c, box, prefixed);
  checkSandbox(c, box, route);
  const credentials = credentialsOf(c);
  await disturb(c, box, credentials?.apiKey);
  const session = credentials && box.sessions.resolve(credentials.apiKey, credentials.accessToken);
  if (session === undefined) throw deadSession();
  if (route.limit !== undefined && box.switches.values.rate_limits)
    box.rateLimits.take(route.limit, session.api_key);
  const { fields, json } = await readFields(c, route);
  const query = new URL(c.req.url).searchParams;
  const call: Call = {
    session,
    form: new Form(new Map([...query, ...fields, ...Object.entries(c.req.param())])),
    query: new Form(new Map(query)),
    all: (name) => query.getAll(name),
    allForm: (name) => fields.getAll(name),
    json,
    ip: remoteAddress(c),
    context: c,
  };
  const data = await route.handle(call);
  return data instanceof Response ? data : success(c, data);
}

async function readFields(c: Context<Env>, route: Route) {
  if (route.method === 'GET' || route.method === 'DELETE')
    return { fields: new URLSearchParams(), json: undefined };
  return readBody(c, route.body ?? 'form');
}

function checkPrefix(c: Context<Env>, box: Box, prefixed: boolean): void {
  const rule = box.switches.values.oms_prefix;
  if ((rule === 'off' && prefixed) || (rule === 'required' && !prefixed)) {
    throw notFound(`Route not found: ${c.req.method} ${c.req.path}`);
  }
}

/** What the official sandbox does not offer (kite.trade/docs/connect/v3/sandbox). */
const NOT_IN_SANDBOX = /^\/(gtt|margins|charges|instruments\/trigger_range)\b/;

function checkSandbox(c: Context<Env>, box: Box, route: Route): void {
  if (!box.switches.values.sandbox || !NOT_IN_SANDBOX.test(route.path)) return;
  throw notFound(`Route not found in the sandbox: ${c.req.method} ${c.req.path}`);
}

/** Armed faults that hold for any request: slowness, then an error in the broker's name. */
export async function disturb(c: Context<Env>, box: Box, apiKey: string | undefined): Promise<void> {
  const account = apiKey === undefined ? undefined : box.accounts.byApiKey(apiKey);
  await disturbUser(c, box, account?.user_id ?? '');
}

/** The same for a request that names its user and no app. */
export async function disturbUser(c: Context<Env>, box: Box, account: string): Promise<void> {
  if (!box.faults.armed) return;
  const at = { account, path: faultPath(c) };
  const slow = box.faults.fire('http_slow', at);
  if (slow !== undefined) await sleep(slow.ms ?? 1000);
  const error = box.faults.fire('http_error', at);
  if (error === undefined) return;
  const status = error.status ?? 503;
  throw new KiteError(
    status,
    error.error_type ?? 'NetworkException',
    `Injected fault ${error.id}: HTTP ${status}`,
  );
}
