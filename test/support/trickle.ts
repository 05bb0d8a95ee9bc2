import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

export interface Trickle {
  readonly url: string;
  /** What goes to the server a second; what comes back is not slowed. */
  bytesPerS: number;
  stop(): Promise<void>;
}

const STEP_MS = 20;

/** A TCP proxy in front of a Redis that lets bytes through slowly, as a saturated network does. */
export async function startTrickle(redisPort: number, bytesPerS: number): Promise<Trickle> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection({ host: '127.0.0.1', port: redisPort });
    const waiting: Buffer[] = [];
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        clearInterval(timer);
      });
    }
    upstream.on('data', (chunk) => client.write(chunk));
    client.on('data', (chunk: Buffer) => {
      waiting.push(chunk);
      client.pause();
    });
    const timer = setInterval(() => {
      let budget = (trickle.bytesPerS * STEP_MS) / 1_000;
      while (waiting.length > 0 && budget > 0) {
        const chunk = waiting.shift()!;
        const taken = Math.min(chunk.length, Math.max(1, Math.floor(budget)));
        upstream.write(chunk.subarray(0, taken));
        if (taken < chunk.length) waiting.unshift(chunk.subarray(taken));
        budget -= taken;
      }
      if (waiting.length === 0) client.resume();
    }, STEP_MS);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const trickle: Trickle = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytesPerS,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return trickle;
}
