import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Session } from '../login/sessions.ts';
import type { Form } from './form.ts';
import { inputError, KiteError } from './kite-error.ts';
import type { LimitClass } from './rate-limits.ts';

export type Env = { Bindings: HttpBindings };
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One authenticated request, read and ready to be answered. */
export interface Call {
  readonly session: Session;
  /** Path parameters, then query (GET, DELETE) or form (POST, PUT); the path wins where a client repeats it. */
  readonly form: Form;
  readonly query: Form;
  /** All values of a repeated query parameter. */
  readonly all: (name: string) => readonly string[];
  /** All values of a repeated form field. */
  readonly allForm: (name: string) => readonly string[];
  /** The JSON body of a route that takes one. */
  readonly json: unknown;
  readonly ip: string;
  readonly context: Context<Env>;
}

export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly limit?: LimitClass;
  readonly body?: 'json';
  /** What goes into `data`, or a whole response. */
  readonly handle: (call: Call) => unknown;
}

export const remoteAddress = (c: Context<Env>) =>
  (c.env.incoming.socket.remoteAddress ?? '').replace(/^::ffff:/, '');

/** What a fault's `path` is compared with: method and path, without the sandbox's prefix. */
export const faultPath = (c: Context<Env>) => `${c.req.method} ${c.req.path.replace(/^\/oms(?=\/)/, '')}`;

interface Body {
  readonly fields: URLSearchParams;
  readonly json: unknown;
}

/** Reads a body as the route takes it. @throws KiteError 400 for another content type or broken JSON. */
export async function readBody(c: Context<Env>, kind: 'form' | 'json'): Promise<Body> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const text = await c.req.text();
  if (kind === 'json') return { fields: new URLSearchParams(), json: parseJson(type, text) };
  if (text !== '' && type !== 'application/x-www-form-urlencoded') {
    throw inputError(
      `Invalid \`content-type\` ${type || '(none)'}: expected application/x-www-form-urlencoded`,
    );
  }
  return { fields: new URLSearchParams(text), json: undefined };
}

function parseJson(type: string, text: string): unknown {
  if (type !== 'application/json')
    throw inputError(`Invalid \`content-type\` ${type || '(none)'}: expected application/json`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw inputError(`Invalid JSON body: ${(cause as Error).message}`);
  }
}

/** The two parts of `Authorization: token api_key:access_token`. */
export function credentialsOf(c: Context<Env>): { apiKey: string; accessToken: string } | undefined {
  const match = /^token ([^:\s]+):(\S+)$/i.exec(c.req.header('authorization') ?? '');
  return match === null ? undefined : { apiKey: match[1]!, accessToken: match[2]! };
}

/** What the broker answers to a dead or missing session: clients log out on exactly this. */
export const deadSession = () =>
  new KiteError(403, 'TokenException', 'Incorrect `api_key` or `access_token`.');
