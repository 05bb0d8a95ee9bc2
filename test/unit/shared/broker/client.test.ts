import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { Breaker } from '#shared/breaker.ts';
import { BrokerClient } from '#shared/broker/client.ts';
import type { BrokerError } from '#shared/broker/errors.ts';
import { BrokerConnections } from '#shared/broker/transport.ts';
import type { BrokerOrder } from '#shared/broker/types.ts';
import { ManualClock, systemClock } from '#shared/clock.ts';
import { brokerOrder } from '#shared/orders/broker-order.ts';
import { REQUEST } from '../orders/tasks.ts';

const ORDER: BrokerOrder = {
  ...brokerOrder(REQUEST, { tag: 'abc123', quantity: 65 }),
  trigger_price: undefined,
};
const ROW = {
  order_id: '1',
  status: 'OPEN',
  exchange: 'NFO',
  tradingsymbol: 'X',
  transaction_type: 'BUY',
  quantity: 65,
};
const TOKEN = 'secrettoken';
const always = () => true;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly port: number;
}
type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function brokerThat(answer: Answer) {
  const seen: Seen[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url = '', headers, socket } = request;
    seen.push({ method, url, headers, body, port: socket.remotePort ?? 0 });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, server, root: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf(
  root: string,
  options: Partial<ConstructorParameters<typeof BrokerClient>[0]> & { clock?: ManualClock } = {},
) {
  const clock = options.clock ?? systemClock();
  const connections = new BrokerConnections(clock);
  cleanups.push(() => connections.close());
  return new BrokerClient({
    root,
    apiKey: 'simkey',
    accessToken: TOKEN,
    connectTimeoutMs: 500,
    replyTimeoutMs: 150,
    connections,
    breaker: new Breaker({ failuresToOpen: 5, openMs: 60_000, probes: 3 }, clock),
    ...options,
  });
}

function json(status: number, body: unknown): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

const placed = json(200, { status: 'success', data: { order_id: '260818000000001' } });

async function failureOf(work: Promise<unknown>): Promise<BrokerError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: BrokerError) => error,
  );
}

describe('placing an order', () => {
  it('sends the form that the broker reads, once, and gives the order_id', async () => {
    const { seen, root } = await brokerThat(placed);
    await expect(clientOf(root).placeOrder(ORDER, always)).resolves.toBe('260818000000001');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/orders/regular' });
    expect(seen[0]!.headers).toMatchObject({
      'x-kite-version': '3',
      authorization: `token simkey:${TOKEN}`,
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(Object.fromEntries(new URLSearchParams(seen[0]!.body))).toEqual({
      variety: 'regular',
      exchange: 'NFO',
      tradingsymbol: 'NIFTY2681826050CE',
      transaction_type: 'BUY',
      order_type: 'LIMIT',
      quantity: '65',
      product: 'NRML',
      price: '100.05',
      validity: 'DAY',
      tag: 'abc123',
    });
  });

  it('keeps a path prefix of the root', async () => {
    const { seen, root } = await brokerThat(placed);
    await clientOf(`${root}/oms/`).placeOrder(ORDER, always);
    expect(seen[0]!.url).toBe('/oms/orders/regular');
  });

  it('sends nothing when its time is over at the moment of writing', async () => {
    const { seen, root } = await brokerThat(placed);
    const error = await failureOf(clientOf(root).placeOrder(ORDER, () => false));
    expect(error.kind).toBe('not_sent');
    expect(seen).toEqual([]);
  });

  it('asks whether it may still send only once the connection stands, also on a kept one', async () => {
    const { seen, root } = await brokerThat(placed);
    const client = clientOf(root);
    await client.placeOrder(ORDER, always);
    const error = await failureOf(client.placeOrder(ORDER, () => false));
    expect(error.kind).toBe('not_sent');
    expect(seen).toHaveLength(1);
  });

  it('is not_sent when nobody listens', async () => {
    const { server, root } = await brokerThat(placed);
    await new Promise((resolve) => server.close(resolve));
    expect((await failureOf(clientOf(root).placeOrder(ORDER, always))).kind).toBe('not_sent');
  });

  it('is not_sent when no connection comes about in time', async () => {
    // TEST-NET-1 (RFC 5737): nothing answers there.
    const error = await failureOf(
      clientOf('http://192.0.2.1:9', { connectTimeoutMs: 50 }).placeOrder(ORDER, always),
    );
    expect(error.kind).toBe('not_sent');
  });

  it('is ambiguous when no answer comes in time', async () => {
    const { seen, root } = await brokerThat(() => {});
    const error = await failureOf(clientOf(root).placeOrder(ORDER, always));
    expect(error).toMatchObject({ kind: 'ambiguous', message: 'no answer within 150 ms' });
    expect(seen).toHaveLength(1);
  });

  it('is ambiguous when the connection breaks before or within the answer', async () => {
    for (const answer of [
      (response) => response.destroy(),
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"status":"success","data":{"order_');
        setTimeout(() => response.destroy(), 20);
      },
    ] satisfies Answer[]) {
      const { root, seen } = await brokerThat(answer);
      expect((await failureOf(clientOf(root).placeOrder(ORDER, always))).kind).toBe('ambiguous');
      expect(seen).toHaveLength(1);
    }
  });

  it('is ambiguous for a success that names no order, is no JSON, or is a redirect, which is not followed', async () => {
    const odd: Answer[] = [
      json(200, { status: 'success', data: {} }),
      json(200, { status: 'success', data: null }),
      json(200, null),
      json(200, { status: 'error', error_type: 'InputException', message: 'in a 200' }),
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":'),
      (response) => response.writeHead(307, { location: '/orders/regular' }).end(),
      json(502, { status: 'error', error_type: 'InputException', message: 'refused, it says' }),
      json(400, {
        status: 'error',
        error_type: 'OrderException',
        message: 'Order request timed out. Please check the order book and confirm before placing again.',
      }),
      (response) => response.writeHead(400, { 'content-type': 'text/html' }).end('Bad Request'),
    ];
    for (const answer of odd) {
      const { root, seen } = await brokerThat(answer);
      expect((await failureOf(clientOf(root).placeOrder(ORDER, always))).kind).toBe('ambiguous');
      expect(seen).toHaveLength(1);
    }
  });

  it('keeps the status, the error_type and the words of a refusal', async () => {
    const { root } = await brokerThat(
      json(400, { status: 'error', error_type: 'MarginException', message: 'Insufficient funds.' }),
    );
    expect(await failureOf(clientOf(root).placeOrder(ORDER, always))).toMatchObject({
      kind: 'refused',
      status: 400,
      errorType: 'MarginException',
      message: 'Insufficient funds.',
    });
  });

  it('tells a dead session and a rate limit apart, also where a 429 is no JSON', async () => {
    const dead = await brokerThat(
      json(403, { status: 'error', error_type: 'TokenException', message: 'Incorrect `access_token`.' }),
    );
    expect((await failureOf(clientOf(dead.root).placeOrder(ORDER, always))).kind).toBe('session_dead');
    const busy = await brokerThat((response) => response.writeHead(429).end('Too many requests'));
    expect((await failureOf(clientOf(busy.root).placeOrder(ORDER, always))).kind).toBe('rate_limited');
  });

  it('never shows the token in an error', async () => {
    for (const answer of [json(403, { error_type: 'TokenException', message: 'no' }), json(500, {})]) {
      const { root } = await brokerThat(answer);
      const error = await failureOf(clientOf(root).placeOrder(ORDER, always));
      expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain(TOKEN);
    }
  });

  it('stops sending after five failures of the way, but not after refusals', async () => {
    const refusing = await brokerThat(json(400, { error_type: 'InputException', message: 'no' }));
    const client = clientOf(refusing.root);
    for (let time = 0; time < 8; time += 1) await failureOf(client.placeOrder(ORDER, always));
    expect(refusing.seen).toHaveLength(8);

    const broken = await brokerThat(json(503, { error_type: 'NetworkException', message: 'down' }));
    const other = clientOf(broken.root);
    for (let time = 0; time < 5; time += 1)
      expect((await failureOf(other.placeOrder(ORDER, always))).kind).toBe('ambiguous');
    const error = await failureOf(other.placeOrder(ORDER, always));
    expect(error).toMatchObject({ kind: 'not_sent', message: 'the breaker of the broker is open' });
    expect(broken.seen).toHaveLength(5);
  });
});

describe('the breaker', () => {
  it('is not told of what was kept back before it was sent', async () => {
    const { root } = await brokerThat(placed);
    const told: string[] = [];
    const breaker = {
      tryEnter: () => true,
      succeeded: () => void told.push('succeeded'),
      failed: () => void told.push('failed'),
    };
    const client = clientOf(root, { breaker });
    await failureOf(client.placeOrder(ORDER, () => false));
    expect(told).toEqual([]);
    await client.placeOrder(ORDER, always);
    expect(told).toEqual(['succeeded']);
  });
});

describe('connections to the broker', () => {
  it('are kept between calls, and left after a pause', async () => {
    const { seen, root } = await brokerThat(placed);
    const clock = new ManualClock(10_000);
    const client = clientOf(root, { clock });
    await client.placeOrder(ORDER, always);
    await client.placeOrder(ORDER, always);
    expect(seen[1]!.port).toBe(seen[0]!.port);
    clock.advance(4_001);
    await client.placeOrder(ORDER, always);
    expect(seen[2]!.port).not.toBe(seen[1]!.port);
  });
});

describe('reading the order book', () => {
  it('gives the rows, gzipped or not', async () => {
    for (const zipped of [false, true]) {
      const { root } = await brokerThat((response) => {
        const body = JSON.stringify({ status: 'success', data: [{ ...ROW, tag: 'abc', tags: ['abc'] }] });
        response.writeHead(200, {
          'content-type': 'application/json',
          ...(zipped && { 'content-encoding': 'gzip' }),
        });
        response.end(zipped ? gzipSync(body) : body);
      });
      const rows = await clientOf(root).orders();
      expect(rows).toMatchObject([{ order_id: '1', tag: 'abc' }]);
    }
  });

  it('fails rather than give half a book: a row without order_id, or no list at all', async () => {
    for (const data of [[ROW, { ...ROW, order_id: undefined }], {}, null, 'none']) {
      const { root } = await brokerThat(json(200, { status: 'success', data }));
      expect((await failureOf(clientOf(root).orders())).kind).toBe('ambiguous');
    }
  });

  it('asks for the history of one order, and refuses an order_id that would change the path', async () => {
    const { seen, root } = await brokerThat(json(200, { status: 'success', data: [ROW] }));
    await expect(clientOf(root).orderHistory('123')).resolves.toHaveLength(1);
    expect(seen[0]!.url.split('?')[0]).toBe('/orders/123');
    expect((await failureOf(clientOf(root).orderHistory('../trades'))).kind).toBe('not_sent');
    expect(seen).toHaveLength(1);
  });
});
