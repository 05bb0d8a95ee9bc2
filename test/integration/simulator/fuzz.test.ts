import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allRoutes } from '#simulator/rest/routes.ts';
import type { Simulator } from '#simulator/server.ts';
import { startTestSimulator } from './kit.ts';

const FULL = process.env.FULL === '1';
const RUNS = FULL ? 100_000 : 3_000;

let simulator: Simulator;
let authorization: string;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

beforeAll(async () => {
  simulator = await startTestSimulator();
  const account = simulator.box.accounts.byApiKey('simkey')!;
  authorization = `token simkey:${simulator.box.sessions.open(account, false).access_token}`;
});
afterAll(async () => {
  agent.destroy();
  await simulator.close();
});

interface Shot {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly type: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function shoot({ method, path, body, type }: Shot): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization,
      ...(body === '' ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    };
    const call = request(
      { host: '127.0.0.1', port: simulator.port, method, path, headers, agent },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('end', () =>
          resolve({
            status: reply.statusCode ?? 0,
            type: reply.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** Values that are right for some field, and values that are right for none. */
const good = fc.constantFrom(
  ...[
    'NSE',
    'NFO',
    'INFY',
    'NIFTY 50',
    'BUY',
    'SELL',
    'CNC',
    'MIS',
    'NRML',
    'LIMIT',
    'MARKET',
    'SL',
    'SL-M',
    'DAY',
  ],
  ...[
    'IOC',
    'TTL',
    'regular',
    'amo',
    'co',
    'iceberg',
    'auction',
    '1',
    '65',
    '1500',
    '1499.95',
    '-1',
    'true',
    'day',
  ],
  ...[
    'single',
    'two-leg',
    'simple',
    'ato',
    '<=',
    'constant',
    'instrument',
    'LastTradedPrice',
    'equity',
    'minute',
  ],
  ...[
    '2026-11-17 09:15:00',
    '2026-11-17 10:15:00',
    '408065',
    '256265',
    '100001',
    'overnight',
    'enabled',
    'compact',
  ],
  ...['{"exchange":"NSE","tradingsymbol":"INFY","trigger_values":[1200],"last_price":1500}'],
  ...[
    '[{"exchange":"NSE","tradingsymbol":"INFY","transaction_type":"BUY","quantity":1,"order_type":"LIMIT","product":"CNC","price":1199}]',
  ],
);
const bad = fc.oneof(
  fc.string({ maxLength: 30, unit: 'binary' }),
  fc.constantFrom(
    '',
    '0',
    '-5',
    '1e308',
    '-1e308',
    'NaN',
    'Infinity',
    '1099511627776',
    '0x10',
    '9'.repeat(40),
    '__proto__',
    'constructor',
    'null',
    '[]',
    '{}',
    '[{"a":',
    '../..',
    '%00',
    '\u0000',
    '०',
  ),
  fc.double().map(String),
);
const value = fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: bad });

const FIELDS = [
  ...[
    'exchange',
    'tradingsymbol',
    'transaction_type',
    'quantity',
    'product',
    'order_type',
    'price',
    'trigger_price',
  ],
  ...[
    'validity',
    'validity_ttl',
    'disclosed_quantity',
    'iceberg_legs',
    'iceberg_quantity',
    'auction_number',
    'tag',
  ],
  ...[
    'market_protection',
    'autoslice',
    'type',
    'condition',
    'orders',
    'name',
    'lhs_exchange',
    'lhs_tradingsymbol',
  ],
  ...[
    'lhs_attribute',
    'operator',
    'rhs_type',
    'rhs_constant',
    'basket',
    'i',
    'from',
    'to',
    'continuous',
    'oi',
    'uuid',
  ],
  ...[
    'status',
    'page',
    'page_size',
    'mode',
    'consider_positions',
    'old_product',
    'new_product',
    'position_type',
  ],
  ...[
    'api_key',
    'request_token',
    'refresh_token',
    'access_token',
    'checksum',
    'user_id',
    'password',
    'request_id',
    'v',
  ],
];
const fields = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 14 });

/** A whole order, of which at most a few fields are then replaced: most of these get past the first check. */
const order = fields.map((broken) => ({
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: '1',
  product: 'CNC',
  order_type: 'LIMIT',
  price: '1500',
  market_protection: '-1',
  ...Object.fromEntries(Object.entries(broken).slice(0, 3)),
}));
const marginOrder = fc.record(
  {
    exchange: value,
    tradingsymbol: value,
    transaction_type: value,
    product: value,
    order_type: value,
    quantity: fc.oneof(fc.integer(), value),
    price: fc.oneof(fc.double(), value),
  },
  { requiredKeys: [] },
);
const jsonBody = fc.oneof(
  fc.array(marginOrder, { maxLength: 3 }).map((orders) => JSON.stringify(orders)),
  fc.json({ maxDepth: 2 }),
  bad,
);

const OWN_ROUTES = [
  { method: 'POST', path: '/session/token' },
  { method: 'POST', path: '/session/refresh_token' },
  { method: 'DELETE', path: '/session/token' },
  { method: 'GET', path: '/instruments/:exchange' },
  { method: 'POST', path: '/api/login' },
  { method: 'POST', path: '/api/twofa' },
  { method: 'GET', path: '/connect/login' },
  { method: 'POST', path: '/connect/login' },
  { method: 'GET', path: '/connect/finish' },
];
const CONTROL = ['clock', 'faults', 'accounts', 'sessions', 'switches', 'messages'].map((name) => ({
  method: 'POST',
  path: `/_sim/${name}`,
}));

function shots(routes: readonly { method: string; path: string; body?: string }[]): fc.Arbitrary<Shot> {
  return fc.constantFrom(...routes).chain((route) => {
    const parameters = route.path.match(/:[a-z_]+/g) ?? [];
    const writes = route.method === 'POST' || route.method === 'PUT';
    return fc
      .record({
        segments: fc.tuple(...parameters.map(() => value)),
        given: route.path === '/orders/:variety' ? order : fields,
        json: jsonBody,
        prefix: fc.constantFrom('', '', '', '/oms'),
        odd: fc.integer({ min: 0, max: 30 }),
      })
      .map(({ segments, given, json, prefix, odd }): Shot => {
        let n = 0;
        const path = prefix + route.path.replace(/:[a-z_]+/g, () => encode(segments[n++] ?? ''));
        const query = new URLSearchParams(given).toString();
        const takesJson = route.body === 'json' || route.path.startsWith('/_sim');
        const wantsJson = odd === 0 ? !takesJson : takesJson;
        return {
          method: odd === 1 ? 'PATCH' : route.method,
          path: writes && odd !== 2 ? path : `${path}?${query}`,
          body: writes ? (wantsJson ? json : query) : '',
          type: wantsJson ? 'application/json' : 'application/x-www-form-urlencoded',
        };
      });
  });
}

const encode = (segment: string) => encodeURIComponent(segment.isWellFormed() ? segment : 'x') || 'x';

/** No 5xx, and a refusal is the broker's JSON with a type and a message that says something. */
function check(shot: Shot, { status, type, text }: Answer): void {
  const what = `${shot.method} ${shot.path} ${shot.body} -> ${status} ${text.slice(0, 300)}`;
  expect(status, what).toBeLessThan(500);
  if (status < 400 || type.startsWith('text/html')) return;
  expect(type, what).toContain('json');
  const reply = JSON.parse(text) as { status: string; message: string; error_type: string };
  expect(reply.status, what).toBe('error');
  expect(reply.error_type, what).toMatch(/^[A-Za-z]+Exception$/);
  expect(reply.message.length, what).toBeGreaterThan(5);
  if (reply.error_type === 'InputException')
    expect(reply.message, what).toMatch(/`[^`]+`|body|JSON|session|exchange|max limit/);
}

test(`${RUNS} random requests over all routes get no 5xx, and refusals say what was wrong`, {
  timeout: FULL ? 1_800_000 : 60_000,
}, async () => {
  const routes = [...allRoutes(simulator.box), ...OWN_ROUTES];
  await fc.assert(
    fc.asyncProperty(shots(routes), async (shot) => check(shot, await shoot(shot))),
    { seed: 20261121, numRuns: RUNS },
  );
  const alive = await shoot({ method: 'GET', path: '/user/profile', body: '', type: '' });
  // A random logout is possible, a dead process is not.
  expect([200, 403]).toContain(alive.status);
  expect(simulator.box.broker.everyOrder().length).toBeGreaterThan(0);
});

test('random control calls get no 5xx either', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(shots(CONTROL), async (shot) => check(shot, await shoot(shot))),
    { seed: 20261121, numRuns: FULL ? 10_000 : 500 },
  );
});
