import middy from '@middy/core';
import type { Method } from '@middy/http-router';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type { z } from 'zod';
import type { Authenticator } from './authenticate.ts';
import { jsonBody } from './body.ts';
import { checkInput, type Input, noBody, noParams, noQuery } from './input.ts';
import type { Logger } from './logger.ts';
import { allows, fromAuthorizerContext, type Principal, type Scope } from './principal.ts';
import { Problem } from './problem.ts';
import { type HttpReply, requestIdOf, toResult } from './reply.ts';

/** What a handler is given: everything is checked already. */
export interface HttpRequest<P, Q, B> extends Input<P, Q, B> {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Nobody (no scopes) on a public route. */
  readonly principal: Principal;
  readonly requestId: string;
  readonly logger: Logger;
}

export interface RouteSpec<P, Q, B> {
  readonly method: Exclude<Method, 'ANY'>;
  /** As the API knows it: `/subscriptions/{instrument_token}`. */
  readonly path: string;
  /** `public`: no key is asked for. */
  readonly scope: Scope | 'public';
  readonly params?: z.ZodType<P>;
  /** Without it no query parameter is taken. */
  readonly query?: z.ZodType<Q>;
  /** Without it the body is not looked at. */
  readonly body?: z.ZodType<B>;
  readonly handle: (request: HttpRequest<P, Q, B>) => Promise<HttpReply>;
}

export interface RouteParts {
  readonly logger: Logger;
  readonly authenticator: Authenticator;
}

/** A route whose input types were used up while it was made. */
export interface Route {
  readonly method: Exclude<Method, 'ANY'>;
  readonly path: string;
  readonly scope: Scope | 'public';
  build(parts: RouteParts): (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;
}

const NOBODY: Principal = { key_id: '', owner: '', name: 'nobody', scopes: [] };

/** Order of checks: who calls (401), may they (403), is the body JSON (400, 415), is the input good (400). */
export function route<P = object, Q = object, B = undefined>(spec: RouteSpec<P, Q, B>): Route {
  const schemas = {
    params: spec.params ?? (noParams as unknown as z.ZodType<P>),
    query: spec.query ?? (noQuery as unknown as z.ZodType<Q>),
    body: spec.body ?? (noBody as unknown as z.ZodType<B>),
  };
  return {
    method: spec.method,
    path: spec.path,
    scope: spec.scope,
    build: ({ logger, authenticator }) => {
      const principals = new WeakMap<APIGatewayProxyEvent, Principal>();
      const inner = middy<APIGatewayProxyEvent, APIGatewayProxyResult>().before(async ({ event }) => {
        principals.set(event, await authorised(event, authenticator, spec.scope));
      });
      if (spec.body !== undefined) inner.use(jsonBody());
      inner.handler(async (event, context) => {
        const raw = {
          params: event.pathParameters ?? {},
          query: event.queryStringParameters ?? {},
          body: event.body,
        };
        const principal = principals.get(event) ?? NOBODY;
        const requestId = requestIdOf(event, context);
        const { headers } = event;
        const input = checkInput(schemas, raw);
        return toResult(await spec.handle({ ...input, headers, principal, requestId, logger }), requestId);
      });
      return async (event, context) => inner(event, context);
    },
  };
}

async function authorised(
  event: APIGatewayProxyEvent,
  authenticator: Authenticator,
  scope: Scope | 'public',
): Promise<Principal> {
  if (scope === 'public') return NOBODY;
  const principal =
    fromAuthorizerContext(event.requestContext?.authorizer) ??
    (await authenticator.principalOf(event.headers ?? {}));
  if (allows(principal, scope)) return principal;
  throw new Problem(
    403,
    'scope_missing',
    `this needs the scope ${scope}; the key has ${principal.scopes.join(', ') || 'none'}`,
  );
}
