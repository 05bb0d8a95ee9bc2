import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** A broker on loopback that a test scripts: it keeps the text frames of each connection. */
export class ScriptedBroker {
  readonly frames: { a: string; v: unknown }[][] = [];
  readonly urls: string[] = [];
  refuse: number | undefined;
  readonly #server: Server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true });

  async start(): Promise<string> {
    this.#server.on('upgrade', (request, socket, head) => {
      this.urls.push(request.url ?? '');
      if (this.refuse !== undefined) {
        socket.end(`HTTP/1.1 ${this.refuse} No\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        const frames: { a: string; v: unknown }[] = [];
        this.frames.push(frames);
        client.on('message', (data) => frames.push(JSON.parse(String(data))));
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  send(data: Buffer | string): void {
    for (const client of this.#sockets.clients) client.send(data);
  }

  /** The oldest connection ends. */
  dropOne(): void {
    const [client] = this.#sockets.clients;
    client?.terminate();
  }

  drop(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  stop(): void {
    this.drop();
    this.#server.close();
  }
}
