import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ApiHandler } from '#shared/http/api.ts';
import { MAX_BODY_BYTES } from '#shared/http/body.ts';
import { created, noContent, ok } from '#shared/http/reply.ts';
import { route } from '#shared/http/route.ts';
import { apiOf, invoke, KnownKeys } from './invoke.ts';

const keys = new KnownKeys();
keys.add('reader', ['read']);
keys.add('trader', ['read', 'trade']);
keys.add('boss', ['admin']);
keys.add('gone', ['admin'], { disabled: true });

const JSON_TYPE = { 'Content-Type': 'application/json' };
const reader = { 'X-API-Key': 'reader' };
const trader = { 'X-API-Key': 'trader', ...JSON_TYPE };

let api: ApiHandler;
beforeEach(() => {
  api = apiOf(
    [
      route({
        method: 'GET',
        path: '/things',
        scope: 'read',
        query: z.strictObject({ limit: z.string().regex(/^\d+$/, 'expected digits').optional() }),
        handle: async ({ principal, query }) => ok({ owner: principal.owner, ...query }),
      }),
      route({
        method: 'POST',
        path: '/things',
        scope: 'trade',
        body: z.strictObject({
          size: z.number().min(1, 'expected at least 1'),
          legs: z.array(z.strictObject({ side: z.enum(['BUY', 'SELL']) })).optional(),
        }),
        handle: async ({ body }) => created(body),
      }),
      route({
        method: 'GET',
        path: '/things/{thing_id}',
        scope: 'read',
        params: z.object({ thing_id: z.string().regex(/^\d+$/, 'expected digits') }),
        handle: async ({ params }) => ok(params),
      }),
      route({
        method: 'DELETE',
        path: '/things/{thing_id}',
        scope: 'admin',
        handle: async () => noContent(),
      }),
      route({ method: 'GET', path: '/open', scope: 'public', handle: async () => ok({ up: true }) }),
      route({
        method: 'GET',
        path: '/broken',
        scope: 'public',
        handle: async () => {
          throw new Error('password=hunter2 of the database');
        },
      }),
    ],
    keys,
  );
});

describe('who may call', () => {
  it('is asked of everybody but on a public route', async () => {
    expect(await invoke(api, {})).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(await invoke(api, { path: '/open' })).toMatchObject({ status: 200, body: { up: true } });
  });

  it('is answered by the key, whatever the case of the header', async () => {
    const answer = await invoke(api, { headers: { 'x-API-kEy': 'reader' } });
    expect(answer).toMatchObject({ status: 200, body: { owner: 'team-reader' } });
  });

  it.each(['nobody', 'gone', ''])('does not take the key "%s"', async (key) => {
    expect(await invoke(api, { headers: { 'X-API-Key': key } })).toMatchObject({ status: 401 });
  });

  it('needs the scope of the route, which admin includes', async () => {
    const refused = await invoke(api, { method: 'DELETE', path: '/things/1', headers: reader });
    expect(refused).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
    const boss = await invoke(api, { method: 'DELETE', path: '/things/1', headers: { 'X-API-Key': 'boss' } });
    expect(boss.status).toBe(204);
  });

  it("takes the authoriser's word and does not look the key up again", async () => {
    const before = keys.looked;
    const authorizer = { key_id: 'k', owner: 'desk', name: 'n', scopes: 'read' };
    expect(await invoke(api, { authorizer })).toMatchObject({ status: 200, body: { owner: 'desk' } });
    expect(keys.looked).toBe(before);
  });

  it("asks itself where the authoriser's word is not complete", async () => {
    expect(await invoke(api, { authorizer: { principalId: 'desk' } })).toMatchObject({ status: 401 });
    const made = { key_id: 'k', owner: 'no#pe', name: 'n', scopes: 'admin' };
    expect(await invoke(api, { authorizer: made })).toMatchObject({ status: 401 });
  });

  it('comes before what they sent: a stranger learns nothing of the schema', async () => {
    expect(await invoke(api, { method: 'POST', body: '{' })).toMatchObject({ status: 401 });
  });
});

describe('what was sent', () => {
  it('reaches the handler as the schema made it', async () => {
    const answer = await invoke(api, { method: 'POST', headers: trader, body: '{"size":2}' });
    expect(answer).toMatchObject({ status: 201, body: { size: 2 } });
  });

  it('that is wrong in several places gets one 400 with every path', async () => {
    const body = JSON.stringify({ size: 0, colour: 'red', legs: [{ side: 'BUY' }, { side: 'HOLD', x: 1 }] });
    const answer = await invoke(api, { method: 'POST', headers: trader, query: { a: 'b' }, body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input', title: 'Bad Request' } });
    const paths = (answer.body.errors as { path: string; message: string }[]).map(({ path }) => path);
    expect(paths.sort()).toEqual(['a', 'colour', 'legs.1.side', 'legs.1.x', 'size']);
  });

  it.each([
    ['{', JSON_TYPE, 400, 'body_not_json'],
    [null, JSON_TYPE, 400, 'body_missing'],
    ['', JSON_TYPE, 400, 'body_missing'],
    ['{"size":1}', { 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['{"size":1}', {}, 415, 'unsupported_media_type'],
    ['[]', JSON_TYPE, 400, 'invalid_input'],
    ['null', JSON_TYPE, 400, 'invalid_input'],
    [`{"size":"${'9'.repeat(MAX_BODY_BYTES)}"}`, JSON_TYPE, 413, 'body_too_large'],
  ])('body %.20s with %o is refused as %i %s', async (body, type, status, code) => {
    const answer = await invoke(api, { method: 'POST', headers: { 'X-API-Key': 'trader', ...type }, body });
    expect(answer).toMatchObject({ status, body: { status, code, request_id: 'request-1' } });
  });

  it('is not asked for JSON where the route takes no body', async () => {
    expect(await invoke(api, { headers: reader, body: 'not JSON' })).toMatchObject({ status: 200 });
  });

  it('in the path is checked too', async () => {
    expect(await invoke(api, { path: '/things/42', headers: reader })).toMatchObject({
      body: { thing_id: '42' },
    });
    expect(await invoke(api, { path: '/things/4x', headers: reader })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'thing_id', message: 'expected digits' }] },
    });
  });
});

describe('an error', () => {
  it('is problem details with the request id, which is in a header too', async () => {
    const answer = await invoke(api, {});
    expect(answer.headers).toMatchObject({
      'Content-Type': 'application/problem+json',
      'X-Request-Id': 'request-1',
      'Cache-Control': 'no-store',
    });
    expect(answer.body).toEqual({
      type: 'urn:ticker-service:problem:unauthenticated',
      title: 'Unauthorized',
      status: 401,
      code: 'unauthenticated',
      detail: expect.any(String),
      request_id: 'request-1',
    });
  });

  it('of ours says nothing of what went wrong inside', async () => {
    const answer = await invoke(api, { path: '/broken' });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('for an unknown path is 404, for an unknown method 405 with what there is', async () => {
    expect(await invoke(api, { path: '/other', headers: reader })).toMatchObject({
      status: 404,
      body: { code: 'route_not_found' },
    });
    expect(await invoke(api, { path: '/things/7', method: 'PATCH', headers: reader })).toMatchObject({
      status: 405,
      headers: { Allow: 'DELETE, GET' },
      body: { code: 'method_not_allowed' },
    });
  });
});
