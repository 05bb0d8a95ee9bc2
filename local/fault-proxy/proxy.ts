import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Flow, type FlowMode } from './flow.ts';

/** `refuse` stops listening, so that the system itself refuses; links that are up go on as with `pass`. */
export type ProxyMode = FlowMode | { readonly kind: 'refuse' };

export interface FaultProxyOptions {
  readonly targetPort: number;
  readonly targetHost?: string;
  /** 0, the default, takes a free port; it is kept over times of refusal. */
  readonly port?: number;
}

interface Link {
  readonly sockets: readonly [client: Socket, target: Socket];
  readonly flows: readonly [up: Flow, down: Flow];
}

const PASS: FlowMode = { kind: 'pass' };

/** Starts a proxy on loopback that passes everything until it is told otherwise. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options);
  await proxy.setMode(PASS);
  return proxy;
}

/** A TCP proxy before a server that works: what the network and the server's bad days do to its clients. */
export class FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #links = new Set<Link>();
  #flowMode: FlowMode = PASS;
  #server: Server | undefined;
  #port: number;
  #targetPort: number;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#targetPort = options.targetPort;
  }

  /** Of 127.0.0.1. */
  get port(): number {
    return this.#port;
  }

  /** Links that are up. */
  get links(): number {
    return this.#links.size;
  }

  /** Holds for links that are up and for those to come. */
  async setMode(mode: ProxyMode): Promise<void> {
    this.#flowMode = mode.kind === 'refuse' ? PASS : mode;
    for (const { flows } of this.#links) for (const flow of flows) flow.setMode(this.#flowMode);
    if (mode.kind === 'refuse') this.#unlisten();
    else await this.#listen();
  }

  /** From now on links lead there, as a name does after a failover; those that are up stay where they are. */
  leadTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Resets every link that is up, in both directions, and answers how many there were. */
  cut(): number {
    const links = [...this.#links];
    for (const link of links) this.#reset(link);
    return links.length;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#unlisten();
    this.cut();
    if (server?.listening) await once(server, 'close');
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening at once; links that are up are not touched. */
  #unlisten(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(client: Socket): void {
    const { targetHost = '127.0.0.1' } = this.#options;
    const target = connect({ host: targetHost, port: this.#targetPort, allowHalfOpen: true });
    client.setNoDelay(true);
    target.setNoDelay(true);
    const link: Link = {
      sockets: [client, target],
      flows: [new Flow(client, target, this.#flowMode), new Flow(target, client, this.#flowMode)],
    };
    this.#links.add(link);
    for (const socket of link.sockets) {
      // One side's failure, a target that cannot be reached included, is the other's too.
      socket.on('error', () => this.#reset(link));
      socket.on('close', () => this.#closed(link));
    }
  }

  #reset(link: Link): void {
    this.#forget(link);
    for (const socket of link.sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #closed(link: Link): void {
    if (link.sockets.every((socket) => socket.destroyed)) this.#forget(link);
  }

  #forget(link: Link): void {
    this.#links.delete(link);
    for (const flow of link.flows) flow.close();
  }
}
