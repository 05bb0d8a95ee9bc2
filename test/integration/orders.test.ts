import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sweep } from '#functions/order-sweep/sweep.ts';
import { CredentialStore } from '#shared/accounts/credentials.ts';
import { AccountRepository } from '#shared/accounts/repository.ts';
import { documentClient, secretsManagerClient, sqsClient } from '#shared/aws.ts';
import { systemClock } from '#shared/clock.ts';
import { ApiKeyRepository } from '#shared/http/keys.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { ENV, stageNames } from '#shared/names.ts';
import { accept } from '#shared/orders/acceptance.ts';
import { isFinal } from '#shared/orders/life-cycle.ts';
import { TaskQueue } from '#shared/orders/queue.ts';
import { TaskRepository } from '#shared/orders/repository.ts';
import { orderRequestSchema } from '#shared/orders/request.ts';
import { Client, eventually } from './client.ts';

const client = new Client();
let order: Record<string, unknown>;
let option: Instrument;

interface TaskView {
  readonly task_id: string;
  readonly status: string;
  readonly order_id: string | null;
  readonly tag: string;
  readonly client_tag: string | null;
  readonly market_protection?: number;
}

beforeAll(async () => {
  order = await restingOrder();
});
afterEach(() => client.simulator('DELETE', '/_sim/faults'));

describe('POST /orders', () => {
  it('answers 202 at once, and the task ends COMPLETED with the order_id of the one order', async () => {
    const posted = await client.api('POST', '/orders', { body: { ...order, tag: 'mine' } });
    expect(posted.status).toBe(202);
    expect(posted.body).toMatchObject({ status: 'PENDING', client_tag: 'mine', account_id: 'primary' });
    const task = await completed(posted.body as TaskView);
    const orders = await ordersTagged(task.tag);
    expect(orders.map(({ order_id }) => order_id)).toEqual([task.order_id]);
  });

  it('gives the same task for the same Idempotency-Key, and 422 for another order under it', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await client.api('POST', '/orders', { body: order, headers });
    const task = await completed(first.body as TaskView);
    const again = await client.api('POST', '/orders', { body: order, headers });
    expect(again).toMatchObject({ status: 202, body: { task_id: task.task_id, order_id: task.order_id } });
    expect(await ordersTagged(task.tag)).toHaveLength(1);
    const other = await client.api('POST', '/orders', { body: { ...order, tag: 'other' }, headers });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('fills in the market_protection of a MARKET order', async () => {
    const { price: _price, ...unpriced } = order;
    const posted = await client.api('POST', '/orders', { body: { ...unpriced, order_type: 'MARKET' } });
    expect(posted).toMatchObject({ status: 202, body: { market_protection: -1 } });
    await completed(posted.body as TaskView);
  });

  it('names every offending path', async () => {
    const body = { ...order, price: undefined, quantity: 1.5, product: 'CNC', colour: 'red' };
    const answer = await client.api('POST', '/orders', { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    const { errors } = answer.body as { errors: { path: string }[] };
    expect(errors.map(({ path }) => path).sort()).toEqual(['colour', 'price', 'product', 'quantity']);
  });

  it('refuses an order for one and a half lots, naming the lot', async () => {
    const lot = Number(order.quantity);
    const answer = await client.api('POST', '/orders', { body: { ...order, quantity: lot + (lot >> 1) } });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'quantity', message: expect.stringContaining(`lots of ${lot}`) }] },
    });
  });

  it.each([
    ['an unknown account', { account_id: 'nobody' }, 404, 'account_not_found'],
    ['an unknown instrument', { tradingsymbol: 'NOSUCH26AUGFUT' }, 404, 'instrument_not_found'],
    ['an account without a session', { account_id: 'sleeping' }, 409, 'no_live_session'],
  ])('answers for %s', async (_, change, status, code) => {
    if (code === 'no_live_session') await makeAccountWithoutSession('sleeping');
    const answer = await client.api('POST', '/orders', { body: { ...order, ...change } });
    expect(answer).toMatchObject({ status, body: { status, code } });
  });

  it('needs a key with scope trade', async () => {
    expect(await client.api('POST', '/orders', { body: order, key: null })).toMatchObject({ status: 401 });
    const key = await makeKey(['read', 'subscribe']);
    expect(await client.api('POST', '/orders', { body: order, key })).toMatchObject({
      status: 403,
      body: { code: 'scope_missing' },
    });
    const headers = { 'Idempotency-Key': 'a b' };
    expect(await client.api('POST', '/orders', { body: order, headers })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'Idempotency-Key' }] },
    });
  });

  it('finds its one order when the broker says to check the order book', async () => {
    await client.simulator('POST', '/_sim/faults', { kind: 'order_check_book' });
    const posted = await client.api('POST', '/orders', { body: order });
    const task = await completed(posted.body as TaskView);
    expect(await ordersTagged(task.tag)).toHaveLength(1);
  });

  it('finds its one order when the answer of the broker is lost', async () => {
    await client.simulator('POST', '/_sim/faults', { kind: 'order_reply_lost' });
    const posted = await client.api('POST', '/orders', { body: order });
    const task = await completed(posted.body as TaskView, 40_000);
    expect(await ordersTagged(task.tag)).toHaveLength(1);
  });

  it('tries again what certainly was not sent: the message comes back by itself', async () => {
    await client.simulator('POST', '/_sim/faults', {
      kind: 'http_error',
      path: '/orders/regular',
      status: 429,
      error_type: 'NetworkException',
      count: 2,
    });
    const posted = await client.api('POST', '/orders', { body: order });
    const task = await completed(posted.body as TaskView, 40_000);
    expect(await ordersTagged(task.tag)).toHaveLength(1);
  });
});

describe('DELETE /orders/{task_id}', () => {
  it('ends a task that waits for its next attempt, and no order ever reaches the broker', async () => {
    await client.simulator('POST', '/_sim/faults', {
      kind: 'http_error',
      path: '/orders/regular',
      status: 429,
      error_type: 'NetworkException',
      count: 100,
    });
    const { body } = await client.api('POST', '/orders', { body: order });
    const { task_id, tag } = body as TaskView;
    await eventually('its cancellation', async () => {
      const { status } = await client.api('DELETE', `/orders/${task_id}`);
      return status === 200 ? true : undefined;
    });
    await client.simulator('DELETE', '/_sim/faults');
    expect(await client.api('DELETE', `/orders/${task_id}`)).toMatchObject({
      status: 200,
      body: { status: 'CANCELLED', reason: { code: 'cancelled' } },
    });
    await sleep(3_000);
    expect(await ordersTagged(tag)).toEqual([]);
  });

  it('answers 409 when the broker has the order, 404 for no task', async () => {
    const { body } = await client.api('POST', '/orders', { body: order });
    const { task_id } = await completed(body as TaskView);
    expect(await client.api('DELETE', `/orders/${task_id}`)).toMatchObject({
      status: 409,
      body: { code: 'task_final' },
    });
    expect(await client.api('DELETE', `/orders/${'0'.repeat(18)}`)).toMatchObject({ status: 404 });
  });
});

describe('a task whose message was lost', () => {
  it('is found by the sweep and carried on', async () => {
    const { dynamo, table, stage, clock } = stores();
    const wallMs = clock.wallMs() - 45_000;
    const request = orderRequestSchema.parse(order);
    const task = accept({ request, instrument: option, owner: 'desk', nowMs: await marketMs(), wallMs });
    if (!('task_id' in task)) throw new Error(JSON.stringify(task));
    const tasks = new TaskRepository(dynamo, table);
    await tasks.create({ ...task, not_after_ms: wallMs + 600_000 });

    const sqs = sqsClient();
    const name = stageNames(stage).ordersQueue;
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    const queue = new TaskQueue(sqs, QueueUrl!);
    const settings = { replyTimeoutMs: 7_000 };
    const log = { info: () => {}, warn: () => {} };
    expect(await sweep({ tasks, queue, clock, settings, graceMs: 20_000, log })).toBeGreaterThan(0);
    const { status } = await eventually('the task to be final', async () => {
      const now = await tasks.get(task.task_id);
      return now !== undefined && isFinal(now.status) ? now : undefined;
    });
    expect(status).toBe('COMPLETED');
    expect(await ordersTagged(task.slices[0]!.tag)).toHaveLength(1);
  });
});

describe('GET /orders', () => {
  it("lists the account's tasks, newest first, page by page", async () => {
    const posted: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { body } = await client.api('POST', '/orders', { body: order });
      posted.push((body as TaskView).task_id);
    }
    const first = await client.api('GET', '/orders?account_id=primary&limit=2');
    const { items, next_cursor } = first.body as { items: TaskView[]; next_cursor: string };
    expect(items.map(({ task_id }) => task_id)).toEqual([posted[2], posted[1]]);
    const second = await client.api('GET', `/orders?account_id=primary&limit=1&cursor=${next_cursor}`);
    expect((second.body as { items: TaskView[] }).items[0]!.task_id).toBe(posted[0]);
  });

  it('answers 404 for a task that was never made, 400 for what is no task id or cursor', async () => {
    expect(await client.api('GET', `/orders/${'0'.repeat(18)}`)).toMatchObject({ status: 404 });
    expect(await client.api('GET', '/orders/abc')).toMatchObject({ status: 400 });
    expect(await client.api('GET', '/orders?account_id=primary&cursor=abc')).toMatchObject({ status: 400 });
  });
});

async function completed(task: TaskView, timeoutMs?: number): Promise<TaskView> {
  return eventually(
    `task ${task.task_id} to be COMPLETED`,
    async () => {
      const { body } = await client.api('GET', `/orders/${task.task_id}`);
      const view = body as TaskView;
      if (['FAILED', 'EXPIRED', 'DEAD_LETTER', 'PARTIAL'].includes(view.status))
        throw new Error(JSON.stringify(view));
      return view.status === 'COMPLETED' ? view : undefined;
    },
    timeoutMs,
  );
}

async function ordersTagged(tag: string): Promise<{ order_id: string }[]> {
  const { body } = await client.simulator('GET', '/_sim/orders');
  return (body as { order_id: string; tag: string }[]).filter((seen) => seen.tag === tag);
}

async function marketMs(): Promise<number> {
  const { body } = await client.simulator('GET', '/_sim/clock');
  return (body as { nowMs: number }).nowMs;
}

/** One lot of an index's option at the lowest price: it rests in the book and costs next to nothing. */
async function restingOrder(): Promise<Record<string, unknown>> {
  const { body } = await client.simulator('POST', '/_sim/sessions', { api_key: 'simkey' });
  const { access_token } = body as { access_token: string };
  const headers = { Authorization: `token simkey:${access_token}`, 'X-Kite-Version': '3' };
  const url = client.platform.outputs.simulator_url;
  const dump = parseInstrumentsCsv(await (await fetch(`${url}/instruments/NFO`, { headers })).text());
  option = dump.find(({ name, instrument_type }) => name === 'NIFTY' && instrument_type === 'CE')!;
  const { exchange, tradingsymbol, lot_size, tick_size } = option;
  const symbol = `${exchange}:${tradingsymbol}`;
  const quotes = await (await fetch(`${url}/quote?i=${encodeURIComponent(symbol)}`, { headers })).json();
  const { lower_circuit_limit } = (quotes as { data: Record<string, { lower_circuit_limit: number }> }).data[
    symbol
  ]!;
  return {
    account_id: 'primary',
    exchange,
    tradingsymbol,
    transaction_type: 'BUY',
    order_type: 'LIMIT',
    quantity: lot_size,
    product: 'NRML',
    price: Math.max(lower_circuit_limit, tick_size),
  };
}

function stores() {
  for (const [name, value] of Object.entries(client.platform.env)) vi.stubEnv(name, value);
  const { env } = client.platform;
  return { dynamo: documentClient(), table: env[ENV.table]!, stage: env[ENV.stage]!, clock: systemClock() };
}

async function makeKey(scopes: ('read' | 'subscribe')[]): Promise<string> {
  const { dynamo, table, clock } = stores();
  const { key } = await new ApiKeyRepository(dynamo, table, clock).createKey({ name: 'reader', scopes });
  return key;
}

async function makeAccountWithoutSession(accountId: string): Promise<void> {
  const { dynamo, table, stage, clock } = stores();
  const secrets = new CredentialStore(secretsManagerClient(), stage);
  const accounts = new AccountRepository(dynamo, table, secrets, clock);
  if ((await accounts.get(accountId)) === undefined)
    await accounts.create(accountId, { api_key: `${accountId}key`, api_secret: 's', user_id: 'SIM099' });
}
