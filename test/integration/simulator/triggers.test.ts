import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { sha256Hex } from '#simulator/login/sessions.ts';
import type { Simulator } from '#simulator/server.ts';
import { APP, apiOf, control, LIMIT_ORDER, startTestSimulator, USER } from './kit.ts';

let simulator: Simulator;
let api: Awaited<ReturnType<typeof apiOf>>;

beforeEach(async () => {
  // A fast market: prices move enough within a second of the test.
  simulator = await startTestSimulator({ speed: 60 });
  api = await apiOf(simulator);
});
afterEach(() => simulator.close());

const quote = () =>
  simulator.box.market.quote(simulator.box.market.bySymbol('NSE', 'INFY')!.instrument_token)!;
const tick = () => quote().instrument.tick_size;
const onTick = (price: number) => Math.round(Math.round(price / tick()) * tick() * 100) / 100;
const PATIENT = { timeout: 20_000, interval: 100 };

const order = (price: number) => ({
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  order_type: 'LIMIT',
  product: 'CNC',
  price,
});
const gttForm = (type: string, trigger_values: number[], last_price: number, orders: object[]) => ({
  type,
  condition: JSON.stringify({ exchange: 'NSE', tradingsymbol: 'INFY', trigger_values, last_price }),
  orders: JSON.stringify(orders),
});

interface GttReply {
  readonly status: string;
  readonly orders: {
    readonly result: { readonly order_result: { status: string; order_id: string } } | null;
  }[];
}

test('a single GTT triggers when the price gets there and its order is in the book', async () => {
  const last = quote().last_price;
  const limit = onTick(last * 1.05);
  // Just below the market, so that the next moves reach it from above.
  const trigger = onTick(last - tick());
  const placed = await api('POST', '/gtt/triggers', gttForm('single', [trigger], last, [order(limit)]));
  const { trigger_id } = placed.body.data as { trigger_id: number };
  const read = async () => (await api('GET', `/gtt/triggers/${trigger_id}`)).body.data as GttReply;
  await expect.poll(read, PATIENT).toMatchObject({ status: 'triggered' });
  const { orders } = await read();
  const { status, order_id } = orders[0]!.result!.order_result;
  expect(status).toBe('success');
  expect(orders[0]).toMatchObject({ result: { triggered_at: trigger } });
  expect((await api('GET', `/orders/${order_id}`)).status).toBe(200);
});

test('of a two-leg GTT only the leg that was reached places its order', async () => {
  const last = quote().last_price;
  const legs = [order(onTick(last * 1.05)), order(onTick(last * 1.05))];
  const triggers = [onTick(last - tick()), onTick(last + tick())];
  const placed = await api('POST', '/gtt/triggers', gttForm('two-leg', triggers, last, legs));
  const { trigger_id } = placed.body.data as { trigger_id: number };
  const read = async () => (await api('GET', `/gtt/triggers/${trigger_id}`)).body.data as GttReply;
  await expect.poll(read, PATIENT).toMatchObject({ status: 'triggered' });
  const { orders } = await read();
  expect(orders.flatMap(({ result }) => result?.order_result.status ?? [])).toEqual(['success']);
  expect(await control(simulator, 'GET', 'orders')).toHaveLength(1);
});

test('the order of a triggered GTT that the broker refuses leaves its reason', async () => {
  const last = quote().last_price;
  const rich = { ...order(onTick(last * 1.05)), quantity: 90_000_000 };
  const placed = await api('POST', '/gtt/triggers', gttForm('single', [onTick(last - tick())], last, [rich]));
  const { trigger_id } = placed.body.data as { trigger_id: number };
  const read = async () => (await api('GET', `/gtt/triggers/${trigger_id}`)).body.data;
  await expect.poll(read, PATIENT).toMatchObject({
    orders: [{ result: { order_result: { rejection_reason: expect.stringContaining('Insufficient') } } }],
  });
});

const alertForm = (more: object = {}) => ({
  name: 'moves',
  type: 'simple',
  lhs_exchange: 'NSE',
  lhs_tradingsymbol: 'INFY',
  lhs_attribute: 'LastTradedPrice',
  operator: '>=',
  rhs_type: 'constant',
  rhs_constant: onTick(quote().last_price * 0.5),
  ...more,
});

test('a simple alert fires once when it begins to hold, and its history has the quote', async () => {
  const { body } = await api('POST', '/alerts', alertForm());
  const { uuid } = body.data as { uuid: string };
  const history = async () => (await api('GET', `/alerts/${uuid}/history`)).body.data as { meta: object[] }[];
  await expect.poll(history, PATIENT).toHaveLength(1);
  const [firing] = await history();
  expect(firing!.meta[0]).toMatchObject({ tradingsymbol: 'INFY', last_price: expect.any(Number) });
  expect((await api('GET', `/alerts/${uuid}`)).body.data).toMatchObject({
    status: 'enabled',
    alert_count: 1,
  });
});

test('an ATO alert places its basket once and is disabled', async () => {
  const basket = {
    name: 'b',
    type: 'alert',
    tags: [],
    items: [{ ...order(1), type: 'insert', weight: 1, params: { ...order(1200), validity: 'DAY' } }],
  };
  const { body } = await api('POST', '/alerts', alertForm({ type: 'ato', basket: JSON.stringify(basket) }));
  const { uuid } = body.data as { uuid: string };
  const read = async () => (await api('GET', `/alerts/${uuid}`)).body.data;
  await expect.poll(read, PATIENT).toMatchObject({ status: 'disabled', alert_count: 1 });
  expect(await control(simulator, 'GET', 'orders')).toMatchObject([{ tradingsymbol: 'INFY', price: 1200 }]);
});

test('alerts: an index by the exchange INDICES, modify, list by status, soft delete', async () => {
  const index = { lhs_exchange: 'INDICES', lhs_tradingsymbol: 'NIFTY 50', operator: '<=', rhs_constant: 1 };
  const { body } = await api('POST', '/alerts', alertForm(index));
  const { uuid, ...created } = body.data as { uuid: string };
  expect(created).toMatchObject({ lhs_exchange: 'INDICES', rhs_constant: 1, status: 'enabled' });
  await api('PUT', `/alerts/${uuid}`, alertForm({ ...index, rhs_constant: 2 }));
  expect((await api('GET', '/alerts?status=enabled')).body.data).toMatchObject([{ uuid, rhs_constant: 2 }]);
  expect((await api('DELETE', `/alerts?uuid=${uuid}`)).body).toEqual({ status: 'success', data: null });
  expect((await api('GET', '/alerts')).body.data).toEqual([]);
  expect((await api('GET', `/alerts/${uuid}`)).body.data).toMatchObject({ status: 'deleted' });
});

test('every connection of the user hears of every order of the user, over any app', async () => {
  await control(simulator, 'POST', 'accounts', { user_id: USER, api_key: 'second', api_secret: 's2' });
  const session = simulator.box.sessions.liveOf(APP.api_key)!;
  const socket = new WebSocket(
    `${simulator.wsUrl}?api_key=${APP.api_key}&access_token=${session.access_token}`,
  );
  const frames: {
    type: string;
    data: { order_id: string; status: string; checksum: string; order_timestamp: string };
  }[] = [];
  socket.on('message', (data, isBinary) => {
    if (!isBinary) frames.push(JSON.parse(String(data)));
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const other = await apiOf(simulator, 'second');
  const { body } = await other('POST', '/orders/regular', {
    ...LIMIT_ORDER,
    order_type: 'MARKET',
    market_protection: -1,
  });
  const { order_id } = body.data as { order_id: string };
  const statuses = () => frames.filter(({ type }) => type === 'order').map(({ data }) => data.status);
  await expect.poll(statuses, PATIENT).toEqual(['OPEN', 'COMPLETE']);
  const { data } = frames.find((frame) => frame.type === 'order')!;
  expect(data).toMatchObject({
    order_id,
    checksum: sha256Hex(`${order_id}${data.order_timestamp}s2`),
    meta: {},
  });
  socket.close();
});

test('links of a session end with it at 06:00 where they shall', async () => {
  const strict = await startTestSimulator({ feed: { onSessionEnd: 'close' } });
  const { access_token } = await control<{ access_token: string }>(strict, 'POST', 'sessions', {
    api_key: APP.api_key,
  });
  const socket = new WebSocket(`${strict.wsUrl}?api_key=${APP.api_key}&access_token=${access_token}`);
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await control(strict, 'POST', 'clock', { now: '2026-11-19T06:00:00+05:30' });
  await closed;
  await strict.close();
});

test('postbacks go to the app that placed the order, with its checksum', async () => {
  const received: { order_id: string; status: string; checksum: string; order_timestamp: string }[] = [];
  const server = await listen(async (request) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString()));
  });
  const { port } = server.address() as AddressInfo;
  const account = { user_id: USER, ...APP, postback_url: `http://127.0.0.1:${port}/postback` };
  await control(simulator, 'POST', 'accounts', account);
  const { body } = await api('POST', '/orders/regular', LIMIT_ORDER);
  const { order_id } = body.data as { order_id: string };
  await api('PUT', `/orders/regular/${order_id}`, { price: 1201 });
  await api('DELETE', `/orders/regular/${order_id}`);
  await expect
    .poll(() => received.map(({ status }) => status).sort(), PATIENT)
    .toEqual(['CANCELLED', 'UPDATE']);
  for (const message of received) {
    expect(message.checksum).toBe(sha256Hex(order_id + message.order_timestamp + APP.api_secret));
  }
  server.close();
});

function listen(take: (request: IncomingMessage) => Promise<void>): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      void take(request).then(() => response.end());
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
