import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Simulator } from '#simulator/server.ts';
import { apiOf, control, LIMIT_ORDER, nearestCall, startTestSimulator, USER } from './kit.ts';

let simulator: Simulator;
let api: Awaited<ReturnType<typeof apiOf>>;

beforeEach(async () => {
  simulator = await startTestSimulator();
  api = await apiOf(simulator);
});
afterEach(() => simulator.close());

const place = (more: object = {}) => api('POST', '/orders/regular', { ...LIMIT_ORDER, ...more });
const ordersOf = async () =>
  (await api('GET', '/orders')).body.data as { order_id: string; status: string }[];

test('a missing, wrong or dead session is 403 with TokenException in JSON', async () => {
  const bare = await fetch(`${simulator.url}/user/profile`);
  expect(bare.status).toBe(403);
  expect(bare.headers.get('content-type')).toContain('json');
  expect(await bare.json()).toMatchObject({ status: 'error', error_type: 'TokenException' });
  await control(simulator, 'DELETE', `sessions/${USER}`);
  expect(await api('GET', '/user/profile')).toMatchObject({
    status: 403,
    body: { error_type: 'TokenException' },
  });
});

test('a session ends at 06:00 IST of the simulated clock', async () => {
  await control(simulator, 'POST', 'clock', { now: '2026-11-19T05:59:00+05:30' });
  expect((await api('GET', '/user/profile')).status).toBe(200);
  await control(simulator, 'POST', 'clock', { now: '2026-11-19T06:00:00+05:30' });
  expect((await api('GET', '/user/profile')).status).toBe(403);
});

test('unknown routes are 404 and known ones under another method 405, both JSON', async () => {
  expect(await api('GET', '/no/such/route')).toMatchObject({
    status: 404,
    body: { error_type: 'GeneralException' },
  });
  expect(await api('DELETE', '/orders')).toMatchObject({
    status: 405,
    body: { error_type: 'GeneralException' },
  });
});

test('routes of login, session and instruments know their methods too, and the dump has no prefix', async () => {
  for (const [method, path] of [
    ['PUT', '/session/refresh_token'],
    ['POST', '/instruments/NSE'],
    ['GET', '/api/login'],
    ['DELETE', '/connect/login'],
  ] as const) {
    expect(await api(method, path), `${method} ${path}`).toMatchObject({ status: 405 });
  }
  for (const path of ['/oms/instruments', '/oms/instruments/NSE']) {
    expect((await api('GET', path)).status, path).toBe(404);
  }
});

test('the sandbox prefix is taken, demanded or unknown as the switch says', async () => {
  expect((await api('GET', '/oms/orders')).status).toBe(200);
  await control(simulator, 'POST', 'switches', { oms_prefix: 'required' });
  expect([(await api('GET', '/orders')).status, (await api('GET', '/oms/orders')).status]).toEqual([
    404, 200,
  ]);
  await control(simulator, 'POST', 'switches', { oms_prefix: 'off' });
  expect([(await api('GET', '/orders')).status, (await api('GET', '/oms/orders')).status]).toEqual([
    200, 404,
  ]);
});

test('quotes are limited to one a second, other reads to ten, each class for itself', async () => {
  await control(simulator, 'POST', 'switches', { rate_limits: true });
  const quotes = [await api('GET', '/quote/ltp?i=NSE:INFY'), await api('GET', '/quote?i=NSE:INFY')];
  expect(quotes.map(({ status }) => status)).toEqual([200, 429]);
  expect(quotes[1]!.body).toMatchObject({ error_type: 'NetworkException', message: 'Too many requests' });
  const reads = await Promise.all(Array.from({ length: 12 }, () => api('GET', '/orders')));
  expect(reads.filter(({ status }) => status === 429).length).toBe(2);
});

test('the eleventh order of a second is refused and is in no book', async () => {
  await control(simulator, 'POST', 'switches', { order_limits: true });
  const replies = await Promise.all(Array.from({ length: 14 }, () => place()));
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
  expect(replies.find(({ status }) => status === 429)!.body.error_type).toBe('NetworkException');
  expect(await ordersOf()).toHaveLength(10);
});

test('a thousand instruments fit into one call, 1,001 do not, nor 501 full quotes', async () => {
  const symbols = simulator.box.market
    .instruments()
    .filter((i) => i.exchange === 'NFO')
    .slice(0, 1001);
  const query = (count: number) =>
    symbols
      .slice(0, count)
      .map((i) => `i=NFO:${i.tradingsymbol}`)
      .join('&');
  const full = await api('GET', `/quote/ltp?${query(1000)}`);
  expect([full.status, Object.keys(full.body.data as object).length]).toEqual([200, 1000]);
  expect(await api('GET', `/quote/ltp?${query(1001)}`)).toMatchObject({
    status: 400,
    body: { error_type: 'InputException' },
  });
  expect((await api('GET', `/quote?${query(501)}`)).status).toBe(400);
});

test('an order on its way to be cancelled or modified shows so', async () => {
  await control(simulator, 'POST', 'switches', { exchange_latency_ms: 100 });
  const { order_id } = (await place()).body.data as { order_id: string };
  expect(await ordersOf()).toMatchObject([{ status: 'OPEN PENDING' }]);
  await expect.poll(ordersOf).toMatchObject([{ status: 'OPEN' }]);
  await api('PUT', `/orders/regular/${order_id}`, { price: 1201 });
  expect(await ordersOf()).toMatchObject([{ status: 'MODIFY PENDING' }]);
  await expect.poll(ordersOf).toMatchObject([{ status: 'OPEN', price: 1201 }]);
  await api('DELETE', `/orders/regular/${order_id}`);
  expect(await ordersOf()).toMatchObject([{ status: 'CANCEL PENDING' }]);
  await expect.poll(ordersOf).toMatchObject([{ status: 'CANCELLED' }]);
});

test('selling holdings needs an authorisation where the switch says so', async () => {
  await control(simulator, 'POST', 'switches', { edis_required: true });
  const sale = { transaction_type: 'SELL', quantity: 2 };
  expect(await place(sale)).toMatchObject({ status: 428, body: { error_type: 'HoldingException' } });
  const infy = simulator.box.broker.desk(USER).holdings.find((h) => h.instrument.tradingsymbol === 'INFY')!;
  await api('POST', '/portfolio/holdings/authorise', { isin: infy.isin, quantity: 1 });
  expect((await place(sale)).status).toBe(428);
  await api('POST', '/portfolio/holdings/authorise');
  expect((await place(sale)).status).toBe(200);
});

test('a switch can keep option limits near the last price', async () => {
  await control(simulator, 'POST', 'switches', { option_limit_band_percent: 20 });
  const option = nearestCall(simulator);
  const order = {
    exchange: 'NFO',
    tradingsymbol: option.tradingsymbol,
    quantity: 65,
    product: 'NRML',
    price: 0.05,
  };
  await place(order);
  const [row] = (await api('GET', '/orders')).body.data as { status: string; status_message: string }[];
  expect(row).toMatchObject({
    status: 'REJECTED',
    status_message: expect.stringContaining('far away from the LTP'),
  });
});

test('as the sandbox: limits near the price alone, and no GTT, calculators or trigger range', async () => {
  await control(simulator, 'POST', 'switches', { sandbox: true, oms_prefix: 'required' });
  const last = simulator.box.market.quote(
    simulator.box.market.bySymbol('NSE', 'INFY')!.instrument_token,
  )!.last_price;
  const order = { ...LIMIT_ORDER, price: Math.round(last) };
  expect((await api('POST', '/oms/orders/regular', order)).status).toBe(200);
  expect(
    (await api('POST', '/oms/orders/regular', { ...order, price: Math.round(last * 0.92) })).body.message,
  ).toContain('`price`');
  expect(
    (await api('POST', '/oms/orders/regular', { ...order, order_type: 'MARKET' })).body.message,
  ).toContain('`order_type`');
  for (const path of ['/gtt/triggers', '/instruments/trigger_range/buy?i=NSE:INFY']) {
    expect((await api('GET', `/oms${path}`)).status).toBe(404);
  }
});

test('orders from an address that is not registered are refused, reads are not', async () => {
  await control(simulator, 'POST', 'switches', { static_ip_required: true });
  expect(await place()).toMatchObject({ status: 403, body: { error_type: 'PermissionException' } });
  expect((await api('GET', '/orders')).status).toBe(200);
  const account = { user_id: USER, api_key: 'simkey', api_secret: 'simsecret', static_ips: ['127.0.0.1'] };
  await control(simulator, 'POST', 'accounts', account);
  expect((await place()).status).toBe(200);
});

test('a JSON body where a form belongs, and broken JSON where JSON belongs, name what was wrong', async () => {
  const headers = { authorization: `token simkey:${simulator.box.sessions.liveOf('simkey')!.access_token}` };
  const json = { ...headers, 'content-type': 'application/json' };
  const order = await fetch(`${simulator.url}/orders/regular`, { method: 'POST', headers: json, body: '{}' });
  expect([order.status, ((await order.json()) as { message: string }).message]).toEqual([
    400,
    expect.stringContaining('application/json'),
  ]);
  const margins = await fetch(`${simulator.url}/margins/orders`, {
    method: 'POST',
    headers: json,
    body: '[{',
  });
  expect([margins.status, ((await margins.json()) as { message: string }).message]).toEqual([
    400,
    expect.stringContaining('JSON'),
  ]);
});

test('a body of two megabytes is refused and the next call is served', async () => {
  const reply = await place({ tag: 'x'.repeat(2_000_000) });
  expect(reply.status).toBe(413);
  expect((await place()).status).toBe(200);
});

test('order_reply_lost: the order is in the book, the client hears nothing', async () => {
  await control(simulator, 'POST', 'faults', { kind: 'order_reply_lost', count: 1, ms: 50 });
  await expect(place({ tag: 'lost1' })).rejects.toThrow();
  expect(await ordersOf()).toMatchObject([{ tag: 'lost1' }]);
  expect((await place()).status).toBe(200);
  expect(await control(simulator, 'GET', 'faults')).toMatchObject([
    { kind: 'order_reply_lost', fired: 1, armed: false },
  ]);
});

test('order_request_lost: nothing reaches the book', async () => {
  await control(simulator, 'POST', 'faults', { kind: 'order_request_lost', ms: 50 });
  await expect(place()).rejects.toThrow();
  expect(await ordersOf()).toEqual([]);
  expect(await control(simulator, 'GET', 'orders')).toEqual([]);
});

test('order_check_book: the 400 that says to look, and the order is there', async () => {
  await control(simulator, 'POST', 'faults', { kind: 'order_check_book' });
  expect(await place()).toMatchObject({
    status: 400,
    body: { error_type: 'OrderException', message: expect.stringContaining('order book') },
  });
  expect(await ordersOf()).toHaveLength(1);
});

test('order_late: accepted at once, in the book after delay_ms, in the simulator’s own list always', async () => {
  await control(simulator, 'POST', 'faults', { kind: 'order_late', delay_ms: 300 });
  const { body } = await place({ tag: 'late1' });
  const { order_id } = body.data as { order_id: string };
  expect(await ordersOf()).toEqual([]);
  expect((await api('GET', `/orders/${order_id}`)).status).toBe(404);
  const [taken] = await control<{ received_at: string; visible_at: string }[]>(simulator, 'GET', 'orders');
  expect(Date.parse(taken!.visible_at) - Date.parse(taken!.received_at)).toBe(300);
  await expect.poll(ordersOf, { timeout: 5000 }).toMatchObject([{ order_id, status: 'OPEN' }]);
});

test('late and lost together: a time-out whose order appears afterwards', async () => {
  await control(simulator, 'POST', 'faults', { kind: 'order_late', delay_ms: 200 });
  await control(simulator, 'POST', 'faults', { kind: 'order_check_book' });
  expect((await place({ tag: 'ghost' })).status).toBe(400);
  expect(await ordersOf()).toEqual([]);
  await expect.poll(ordersOf, { timeout: 5000 }).toMatchObject([{ tag: 'ghost' }]);
});

test('http_error and http_slow hold for their path and account alone', async () => {
  const fault = {
    kind: 'http_error',
    path: 'GET /orders',
    status: 502,
    error_type: 'DataException',
    count: 1,
  };
  await control(simulator, 'POST', 'faults', { ...fault, account: 'OTHER' });
  await control(simulator, 'POST', 'faults', fault);
  expect((await api('GET', '/user/profile')).status).toBe(200);
  expect(await api('GET', '/orders')).toMatchObject({ status: 502, body: { error_type: 'DataException' } });
  expect((await api('GET', '/orders')).status).toBe(200);
  await control(simulator, 'DELETE', 'faults');
  await control(simulator, 'POST', 'faults', { kind: 'http_slow', path: '/user', ms: 150, count: 1 });
  const before = performance.now();
  await api('GET', '/user/profile');
  expect(performance.now() - before).toBeGreaterThan(140);
});

test('order faults hold for triggers and conversions where their path names them, and only there', async () => {
  const last = simulator.box.market.quote(408065)!.last_price;
  const gtt = {
    type: 'single',
    condition: JSON.stringify({
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      trigger_values: [Math.round(last * 0.5)],
      last_price: last,
    }),
    orders: JSON.stringify([{ ...LIMIT_ORDER, price: Math.round(last * 0.5) }]),
  };
  const triggers = async () => (await api('GET', '/gtt/triggers')).body.data as { id: number }[];
  await control(simulator, 'POST', 'faults', { kind: 'order_check_book', count: 9 });
  expect((await api('POST', '/gtt/triggers', gtt)).status).toBe(200);
  await control(simulator, 'DELETE', 'faults');
  const fault = { path: '/gtt/triggers', ms: 50, count: 1 };
  await control(simulator, 'POST', 'faults', { kind: 'order_reply_lost', ...fault });
  expect((await place()).status).toBe(200);
  await expect(api('POST', '/gtt/triggers', gtt)).rejects.toThrow();
  expect(await triggers()).toHaveLength(2);
  await control(simulator, 'POST', 'faults', { kind: 'order_request_lost', ...fault });
  await expect(api('POST', '/gtt/triggers', gtt)).rejects.toThrow();
  expect(await triggers()).toHaveLength(2);
  await control(simulator, 'POST', 'faults', { kind: 'order_check_book', ...fault });
  const [{ id }] = (await triggers()) as [{ id: number }];
  expect((await api('DELETE', `/gtt/triggers/${id}`)).status).toBe(400);
  expect((await api('GET', `/gtt/triggers/${id}`)).body.data).toMatchObject({ status: 'deleted' });
  await place({ product: 'MIS', order_type: 'MARKET', market_protection: -1 });
  const conversion = {
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    transaction_type: 'BUY',
    position_type: 'day',
    quantity: 1,
    old_product: 'MIS',
    new_product: 'CNC',
  };
  await control(simulator, 'POST', 'faults', { kind: 'order_reply_lost', path: 'PUT /portfolio', ms: 50 });
  await expect(api('PUT', '/portfolio/positions', conversion)).rejects.toThrow();
  const { net } = (await api('GET', '/portfolio/positions')).body.data as { net: object[] };
  expect(net).toContainEqual(expect.objectContaining({ product: 'CNC', quantity: 1 }));
});

test('http_error holds for the steps of a login as well, by user', async () => {
  const step = async (fields: Record<string, string>) =>
    (await fetch(`${simulator.url}/api/login`, { method: 'POST', body: new URLSearchParams(fields) })).status;
  const login = { user_id: USER, password: 'simpass' };
  const fault = { kind: 'http_error', path: '/api', status: 502, count: 1 };
  await control(simulator, 'POST', 'faults', { ...fault, account: 'OTHER' });
  expect(await step(login)).toBe(200);
  await control(simulator, 'POST', 'faults', { ...fault, account: USER });
  expect([await step(login), await step(login)]).toEqual([502, 200]);
  await control(simulator, 'POST', 'faults', { kind: 'http_error', path: '/connect/login', account: USER });
  const page = `${simulator.url}/connect/login?v=3&api_key=simkey`;
  expect([(await fetch(page)).status, (await fetch(page)).status]).toEqual([503, 200]);
});

test('a message of the broker is sent on call, and one of an unknown type is refused', async () => {
  expect(await control(simulator, 'POST', 'messages', { data: 'maintenance at 18:00' })).toEqual({ sent: 0 });
  expect(await control(simulator, 'POST', 'messages', { type: 'order', data: 'x' })).toMatchObject({
    message: expect.stringContaining('`type`'),
  });
});

test('control calls refuse what they do not know, naming it', async () => {
  expect(await control(simulator, 'POST', 'faults', { kind: 'nope' })).toMatchObject({
    message: expect.stringContaining('`kind`'),
  });
  expect(await control(simulator, 'POST', 'switches', { nope: 1 })).toMatchObject({
    error_type: 'InputException',
  });
  expect(await control(simulator, 'POST', 'clock', { now: 'yesterday' })).toMatchObject({
    message: expect.stringContaining('`now`'),
  });
  expect(await control(simulator, 'POST', 'accounts', { user_id: 'x' })).toMatchObject({
    message: expect.stringContaining('`api_key`'),
  });
});

test('an app that is given to another user takes nobody’s session along', async () => {
  expect((await api('GET', '/user/profile')).status).toBe(200);
  const app = { api_key: 'simkey', api_secret: 'simsecret' };
  await control(simulator, 'POST', 'accounts', { ...app, user_id: USER, cash: 5 });
  expect((await api('GET', '/user/profile')).status).toBe(200);
  await control(simulator, 'POST', 'accounts', { ...app, user_id: 'OTHER' });
  expect((await api('GET', '/user/profile')).status).toBe(403);
});

test('reset leaves the ready account alone, without sessions, orders, faults or changed switches', async () => {
  await place();
  await control(simulator, 'POST', 'faults', { kind: 'feed_stall', seconds: 60 });
  await control(simulator, 'POST', 'accounts', { user_id: 'TWO', api_key: 'two', api_secret: 's' });
  await control(simulator, 'POST', 'reset');
  expect((await api('GET', '/orders')).status).toBe(403);
  expect(await control(simulator, 'GET', 'orders')).toEqual([]);
  expect(await control(simulator, 'GET', 'faults')).toEqual([]);
  expect(await control(simulator, 'GET', 'accounts')).toMatchObject([{ api_key: 'simkey' }]);
  expect(await control(simulator, 'GET', 'switches')).toMatchObject({ rate_limits: true });
});

test('bytes that are no HTTP, and a body cut off, do not stop the server', async () => {
  for (const text of [
    'garbage\r\n\r\n',
    'POST /orders/regular HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nhalf',
  ]) {
    const socket = connect(simulator.port, '127.0.0.1');
    socket.resume().end(text);
    await once(socket, 'close');
  }
  expect((await api('GET', '/orders')).status).toBe(200);
});
