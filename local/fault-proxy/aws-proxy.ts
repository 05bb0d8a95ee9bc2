import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ArmedAwsFault, type AwsFault, AwsFaults, refusalOf, targetOf } from './aws-faults.ts';

export interface AwsProxyOptions {
  /** `http://host:port`. */
  readonly targetUrl: string;
  /** Draws for probabilities, from 0 to 1; default Math.random. */
  readonly random?: () => number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Starts a proxy on a free port of loopback that passes every request until a fault is armed. */
export async function startAwsProxy(options: AwsProxyOptions): Promise<AwsProxy> {
  const proxy = new AwsProxy(options);
  await proxy.listen();
  return proxy;
}

/** An HTTP proxy before an AWS endpoint: what AWS does to its callers, and emulators never do. */
export class AwsProxy {
  readonly #target: URL;
  readonly #faults: AwsFaults;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;
  readonly #closing = new AbortController();

  constructor({ targetUrl, random = Math.random }: AwsProxyOptions) {
    this.#target = new URL(targetUrl);
    this.#faults = new AwsFaults(random);
    this.#server = createServer((incoming, response) => {
      // Whatever fails here fails for the caller as a broken link would.
      this.#handle(incoming, response).catch(() => response.destroy());
    });
  }

  /** Of 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Holds beside those that are armed already, which are asked first. */
  arm(fault: ArmedAwsFault): void {
    this.#faults.arm(fault);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** How many requests a kind of fault has hit. */
  hits(kind: AwsFault['kind']): number {
    return this.#faults.hits(kind);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#agent.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const header = incoming.headers['x-amz-target'];
    const target = targetOf(Array.isArray(header) ? header[0] : header);
    const fault = this.#faults.next(target.operation);
    switch (fault?.kind) {
      case 'throttle':
      case 'conflict':
      case 'error': {
        const { status, body: text } = refusalOf(fault.kind, target, body);
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(text);
        return;
      }
      case 'lost_answer':
        await this.#forward(incoming, body);
        await this.#wait(fault.ms);
        response.destroy();
        return;
      case 'twice':
        await this.#forward(incoming, body);
        break;
      case 'slow':
        await this.#wait(fault.ms);
        break;
      case undefined:
    }
    const answer = await this.#forward(incoming, body);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal });
  }

  async #forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.#target;
    const outgoing = request({ agent: this.#agent, hostname, port, method, path: url, headers });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    // The body goes on whole: how it was cut into pieces on the way here is no longer true.
    const { 'transfer-encoding': _, ...kept } = incoming.headers;
    return { status: incoming.statusCode ?? 502, headers: kept, body: Buffer.concat(chunks) };
  }
}
