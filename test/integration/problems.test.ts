import { describe, expect, it } from 'vitest';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { Client } from './client.ts';

const client = new Client();
const onLocalStack = client.platform.emulator === 'localstack';

interface Problem {
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** Sends the text as it is, under the content type given. */
async function post(text: string, contentType: string | undefined = 'application/json') {
  const response = await fetch(`${client.platform.outputs.api_url}/subscriptions`, {
    method: 'POST',
    headers: {
      'X-API-Key': client.platform.outputs.api_key,
      ...(contentType === undefined ? {} : { 'Content-Type': contentType }),
    },
    body: text,
  });
  const problem = (await response.json()) as Problem;
  return { status: response.status, type: response.headers.get('content-type'), problem };
}

describe('a body', () => {
  it.each([
    ['that is no JSON', '{"instrument_token":', 'application/json', 400, 'body_not_json'],
    ['that is empty', '', 'application/json', 400, 'body_missing'],
    ['of another type', '{"instrument_token":256265}', 'text/plain', 415, 'unsupported_media_type'],
    ['of 2 MB', JSON.stringify({ x: 'x'.repeat(2_000_000) }), 'application/json', 413, 'body_too_large'],
    ['that is a list', '[256265]', 'application/json', 400, 'invalid_input'],
  ])('%s is refused clearly', async (_name, text, contentType, status, code) => {
    const answer = await post(text, contentType);
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      problem: {
        type: expect.any(String),
        title: expect.any(String),
        status,
        code,
        detail: expect.any(String),
      },
    });
    expect(answer.problem.request_id).not.toBe('');
  });

  it.each([-1, 0, 2 ** 40, 1.5, 'abc', null, true])(
    'with instrument_token %j names that path',
    async (token) => {
      const answer = await post(JSON.stringify({ instrument_token: token }));
      expect(answer).toMatchObject({ status: 400, problem: { code: 'invalid_input' } });
      expect(answer.problem.errors?.map(({ path }) => path)).toEqual(['instrument_token']);
    },
  );

  it('with several mistakes names all of them at once', async () => {
    const answer = await post(
      JSON.stringify({ instrument_token: -1, mode: 'loud', colour: 1, account_id: '' }),
    );
    expect(answer.problem.errors?.map(({ path }) => path).sort()).toEqual([
      'account_id',
      'colour',
      'instrument_token',
      'mode',
    ]);
  });
});

describe('what is not there', () => {
  it('as an instrument is 404', async () => {
    expect(await post('{"instrument_token":4294967295}')).toMatchObject({
      status: 404,
      problem: { code: 'instrument_not_found' },
    });
    expect(await post('{"exchange":"NSE","tradingsymbol":"NO SUCH"}')).toMatchObject({ status: 404 });
    expect((await client.api('GET', '/instruments/4294967295')).status).toBe(404);
  });

  it('as an account is 404', async () => {
    const dump = parseInstrumentsCsv(String((await client.simulator('GET', '/instruments')).body));
    const { instrument_token } = dump.findLast(({ instrument_type }) => instrument_type === 'FUT')!;
    const body = { instrument_token, account_id: 'nowhere' };
    expect(await client.api('POST', '/subscriptions', { body })).toMatchObject({
      status: 404,
      body: { code: 'account_not_found' },
    });
  });

  it.each(['abc', '-1', '1099511627776', '1.5'])('as a path parameter, "%s", is 400', async (token) => {
    expect(await client.api('GET', `/subscriptions/${token}`)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'instrument_token' }] },
    });
  });

  it('as a method of a path is 405 with those there are', async () => {
    const answer = await client.api('PATCH', '/subscriptions');
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  it('as a query parameter is 400', async () => {
    const answer = await client.api('GET', '/subscriptions?colour=red&limit=0&cursor=x');
    const { errors } = answer.body as Problem;
    expect(answer.status).toBe(400);
    expect(errors?.map(({ path }) => path).sort()).toEqual(['colour', 'cursor', 'limit']);
  });

  it.skipIf(onLocalStack)(
    'as a path is 404 in the form of every problem (LocalStack ignores gateway responses)',
    async () => {
      const answer = await client.api('GET', '/nothing/here');
      expect(answer).toMatchObject({ status: 404, body: { code: 'route_not_found', status: 404 } });
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    },
  );
});
