import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { SetUpProblem } from '../supervise/problem.ts';

async function listenBriefly(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return taken;
}

/** A port of 127.0.0.1 that nobody listens on now. */
export function freePort(): Promise<number> {
  return listenBriefly(0);
}

/** @throws SetUpProblem that names the variable which moves the port. */
export async function requireFree(port: number, what: string, variable: string): Promise<void> {
  try {
    await listenBriefly(port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be used (${message})`;
    throw new SetUpProblem(
      `Port ${port} for the ${what} ${reason}: stop that program or choose another port with ${variable}=<port>.`,
    );
  }
}
