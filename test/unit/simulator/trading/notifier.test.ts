import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { SwitchBoard } from '#simulator/control/switches.ts';
import { Accounts, READY_ACCOUNT } from '#simulator/login/accounts.ts';
import { Notifier } from '#simulator/trading/notifier.ts';
import { brokerKit } from '../broker-kit.ts';

test('an order of the broker itself is told on the socket and posted to no app', async () => {
  const posted: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    posted.push((JSON.parse(Buffer.concat(chunks).toString()) as { order_id: string }).order_id);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accounts = new Accounts();
  accounts.put({ ...READY_ACCOUNT, postback_url: `http://127.0.0.1:${port}/` });
  const framed: string[] = [];
  const notifier = new Notifier(accounts, new SwitchBoard(), (_user, told) =>
    framed.push((told as { order_id: string }).order_id),
  );
  const { place } = brokerKit();
  const own = { ...place({}), order_id: 'squared-off', api_key: '' };
  const order = place({});
  notifier.changed(own, 'status');
  notifier.changed(order, 'status');
  expect(framed).toEqual(['squared-off', order.order_id]);
  await expect.poll(() => notifier.counters.sent, { timeout: 10_000 }).toBeGreaterThan(0);
  expect(posted).toEqual([order.order_id]);
  server.close();
});
