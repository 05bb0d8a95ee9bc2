import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '#local/fault-proxy/proxy.ts';
import { until } from '#test/support/processes.ts';

describe('the fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let clients: Socket[];

  beforeEach(async () => {
    clients = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await startFaultProxy({ targetPort: (server.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy.close();
    server.close();
  });

  async function open(): Promise<{ client: Socket; received: () => Buffer; errors: string[] }> {
    const client = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    const errors: string[] = [];
    clients.push(client);
    client.on('data', (chunk) => chunks.push(chunk));
    client.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
    await once(client, 'connect');
    return { client, received: () => Buffer.concat(chunks), errors };
  }

  const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, index) => (index * 31) % 251));

  it('passes a million bytes there and back unchanged, and the end after them', async () => {
    const { client, received } = await open();
    const sent = bytes(1_000_000);
    client.end(sent);
    await once(client, 'end');
    expect(received().equals(sent)).toBe(true);
    await until(() => proxy.links === 0, 2_000, 'the link to be forgotten');
  });

  it('stalled, keeps the link and moves nothing; afterwards everything arrives', async () => {
    const { client, received, errors } = await open();
    client.write('before');
    await until(() => received().toString() === 'before', 2_000, 'the echo');
    await proxy.setMode({ kind: 'stall' });
    client.end(' after');
    await sleep(150);
    expect(received().toString()).toBe('before');
    await proxy.setMode({ kind: 'pass' });
    await once(client, 'end');
    expect(received().toString()).toBe('before after');
    expect(errors).toEqual([]);
  });

  it('stalled, lets the sender feel a full pipe instead of taking everything into memory', async () => {
    const { client, received } = await open();
    await proxy.setMode({ kind: 'stall' });
    const sent = Buffer.alloc(32_000_000, 7);
    client.write(sent);
    await sleep(300);
    expect(client.writableLength).toBeGreaterThan(0);
    await proxy.setMode({ kind: 'pass' });
    await until(() => received().length === sent.length, 10_000, 'all bytes');
  });

  it('trickles at the rate that it is told, and the stall before it earns no burst', async () => {
    const { client, received } = await open();
    await proxy.setMode({ kind: 'stall' });
    client.write(bytes(4_000));
    await sleep(300);
    const startedMs = performance.now();
    await proxy.setMode({ kind: 'trickle', bytesPerSecond: 10_000 });
    await until(() => received().length >= 2_000, 10_000, 'half of it');
    const elapsedS = (performance.now() - startedMs) / 1_000;
    expect(received().length).toBeLessThanOrEqual(10_000 * elapsedS + 2);
    await until(() => received().length === 4_000, 10_000, 'the rest');
    expect(received().equals(bytes(4_000))).toBe(true);
  });

  it('cuts links with a reset and takes new ones', async () => {
    const first = await open();
    first.client.write('x');
    await until(() => first.received().length === 1, 2_000, 'the echo');
    expect(proxy.cut()).toBe(1);
    await until(() => first.client.destroyed, 2_000, 'the client to notice');
    expect(first.errors).toEqual(['ECONNRESET']);
    const second = await open();
    second.client.write('y');
    await until(() => second.received().toString() === 'y', 2_000, 'the echo');
  });

  it('refuses as a server that is not there does, keeps what is up, and listens on the same port again', async () => {
    const first = await open();
    first.client.write('a');
    await until(() => first.received().length === 1, 2_000, 'the echo');
    const { port } = proxy;
    await proxy.setMode({ kind: 'refuse' });
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    first.client.write('b');
    await until(() => first.received().toString() === 'ab', 2_000, 'the link to go on');
    await proxy.setMode({ kind: 'pass' });
    expect(proxy.port).toBe(port);
    const second = await open();
    second.client.write('c');
    await until(() => second.received().toString() === 'c', 2_000, 'the echo');
  });

  it('gives the failure of its target to the client', async () => {
    const deaf = await startFaultProxy({ targetPort: 1 });
    const client = connect(deaf.port, '127.0.0.1');
    clients.push(client);
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await deaf.close();
    await deaf.close();
  });
});
