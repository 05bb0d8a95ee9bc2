import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { instrumentRoutes } from '#functions/instruments/routes.ts';
import { refuseShrunken, sizeOf } from '#shared/market/dump-checks.ts';
import { InstrumentsMissingError } from '#shared/market/instrument-store.ts';
import { formatInstrumentsCsv, parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { apiOf, invoke, KnownKeys } from '../../shared/http/invoke.ts';
import { anInstrument } from '../../shared/market/an-instrument.ts';

const keys = new KnownKeys();
keys.add('boss', ['admin']);
keys.add('reader', ['read']);

let server: Server;
let brokerUrl: string;
let reply: { status: number; body: string };
let asked: { url: string | undefined; version: unknown } | undefined;
beforeEach(async () => {
  asked = undefined;
  server = createServer((request, response) => {
    asked = { url: request.url, version: request.headers['x-kite-version'] };
    response.writeHead(reply.status, { 'Content-Type': 'text/csv' }).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  brokerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Checks a dump as the real store does, against one of 1,000 rows, and keeps nothing. */
const store = {
  replace: async (csv: string, { force = false } = {}) => {
    const size = sizeOf(parseInstrumentsCsv(csv));
    if (!force) refuseShrunken(size, { count: 1_000 });
    return {
      day: '2026-08-18',
      version: 'v',
      prefix: 'p',
      ...size,
      refreshed_at: '2026-08-18T03:00:00.000Z',
    };
  },
  byToken: async () => {
    throw new InstrumentsMissingError();
  },
};

const refresh = (key: string, query: Record<string, string> = {}) =>
  invoke(apiOf(instrumentRoutes({ store, brokerUrl }), keys), {
    method: 'POST',
    path: '/instruments/refresh',
    headers: { 'X-API-Key': key },
    query,
  });

const dumpOf = (rows: number) =>
  formatInstrumentsCsv(
    Array.from({ length: rows }, (_, n) => anInstrument({ instrument_token: n + 1, tradingsymbol: `S${n}` })),
  );

describe('a refresh of the instruments', () => {
  it("takes the broker's dump of all exchanges", async () => {
    reply = { status: 200, body: dumpOf(1_001) };
    expect(await refresh('boss')).toEqual({
      status: 200,
      body: { day: '2026-08-18', version: 'v', count: 1_001, refreshed_at: '2026-08-18T03:00:00.000Z' },
      headers: expect.anything(),
    });
    expect(asked).toEqual({ url: '/instruments', version: '3' });
  });

  it('takes a dump that is far smaller than the one in force only by force', async () => {
    reply = { status: 200, body: dumpOf(400) };
    const refused = {
      status: 502,
      body: { code: 'instruments_shrunk', detail: expect.stringMatching(/400.*force=true/) },
    };
    expect(await refresh('boss')).toMatchObject(refused);
    expect(await refresh('boss', { force: 'false' })).toMatchObject(refused);
    expect(await refresh('boss', { force: 'true' })).toMatchObject({ status: 200, body: { count: 400 } });
    expect(await refresh('boss', { force: 'yes' })).toMatchObject({ status: 400 });
  });

  it('is for admins only', async () => {
    expect((await refresh('reader')).status).toBe(403);
    expect(asked).toBeUndefined();
  });

  it.each([
    ['an error', { status: 503, body: '' }, 'broker_unreachable', '503'],
    ['a page that is no dump', { status: 200, body: '<html></html>' }, 'instruments_csv_invalid', 'columns'],
  ])('where the broker answers with %s is 502 and says so', async (_name, answer, code, detail) => {
    reply = answer;
    expect(await refresh('boss')).toMatchObject({
      status: 502,
      body: { code, detail: expect.stringContaining(detail) },
    });
  });

  it('where there is no broker is 502', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await refresh('boss')).toMatchObject({ status: 502, body: { code: 'broker_unreachable' } });
  });
});

describe('an instrument', () => {
  it('is not looked for before a dump was loaded, which is said', async () => {
    const api = apiOf(instrumentRoutes({ store, brokerUrl }), keys);
    const answer = await invoke(api, { path: '/instruments/1', headers: { 'X-API-Key': 'reader' } });
    expect(answer).toMatchObject({ status: 503, body: { code: 'instruments_missing' } });
  });
});
