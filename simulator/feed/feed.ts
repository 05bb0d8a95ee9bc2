import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { istDateTime } from '#shared/market/calendar.ts';
import type { FeedMode } from '#shared/market/instrument.ts';
import type {
  Faults,
  Feed,
  FeedConnectionState,
  FeedLoad,
  LiveSession,
  Market,
  Sessions,
} from '#simulator/contracts.ts';
import { FeedConnection } from './connection.ts';
import { LoadGenerator } from './load.ts';
import { Streams } from './streams.ts';

export interface FeedOptions {
  readonly market: Market;
  readonly sessions: Sessions;
  readonly faults: Faults;
  /** Instruments a connection may hold; default 3,000. */
  readonly maxInstruments?: number;
  /** Connections an api_key may hold; default 3. */
  readonly maxConnections?: number;
  /** Mode after a bare subscribe (not documented by the broker); default quote. */
  readonly defaultMode?: FeedMode;
  /** Silence after which a heartbeat leaves; default 2,000. */
  readonly heartbeatMs?: number;
  /** What a session's end does to its open links: the broker keeps them until the next connect. */
  readonly onSessionEnd?: 'keep' | 'close';
  /** A reader that lets more than this wait is cut off; default 64 MiB. */
  readonly maxBufferedBytes?: number;
}

/** What an upgrade gets: a session, or the HTTP status of its refusal. */
type Admission = { readonly session: LiveSession } | { readonly refused: number; readonly message: string };

const TEND_EVERY_MS = 100;
const MAX_MESSAGE_BYTES = 1 << 20;
const HOLD_DEAD_DEFAULT_S = 30;
const SESSION_ENDED_CODE = 4403;

export function createFeed(options: FeedOptions): Feed {
  return new SimulatedFeed(options);
}

/** The broker's WebSocket endpoint: who may connect, and the links that are up. */
class SimulatedFeed implements Feed {
  readonly #options: Required<FeedOptions>;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  readonly #streams: Streams;
  readonly #load: LoadGenerator;
  readonly #connections = new Set<FeedConnection>();
  /** Dead connections that still count: api_key and the wall time until when. */
  #heldDead: { readonly apiKey: string; readonly untilMs: number }[] = [];
  readonly #stops: (() => void)[] = [];
  #nextId = 1;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = {
      maxInstruments: 3000,
      maxConnections: 3,
      defaultMode: 'quote',
      heartbeatMs: 2000,
      onSessionEnd: 'keep',
      maxBufferedBytes: 64 << 20,
      ...options,
    };
    const { market, sessions } = options;
    this.#streams = new Streams(market);
    this.#load = new LoadGenerator(this.#streams, this.#connections, market.clock);
    const tending = setInterval(() => this.#tend(), TEND_EVERY_MS);
    tending.unref();
    this.#stops.push(
      () => clearInterval(tending),
      market.afterPass(() => this.#flush()),
      sessions.onEnd((session) => this.#sessionEnded(session)),
    );
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before the handshake is done nobody else listens: a peer that vanishes must not end the process.
    socket.on('error', () => socket.destroy());
    const admission = this.#admit(request);
    if ('refused' in admission) refuse(socket, admission.refused, admission.message);
    else
      this.#server.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, socket, admission.session));
  }

  sendOrder(userId: string, order: object): void {
    for (const connection of this.#connections) {
      if (connection.session.user_id === userId) connection.sendText({ type: 'order', data: order });
    }
  }

  sendMessage(type: 'message' | 'error', data: string, userId?: string): number {
    const wanted = [...this.#connections].filter(
      ({ session }) => userId === undefined || session.user_id === userId,
    );
    for (const connection of wanted) connection.sendText({ type, data });
    return wanted.length;
  }

  connections(): FeedConnectionState[] {
    return [...this.#connections].map((connection) => connection.state());
  }

  get load(): FeedLoad {
    return this.#load.load;
  }

  setLoad(load: FeedLoad): void {
    this.#load.set(load);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#load.set({});
    for (const stop of this.#stops.splice(0)) stop();
    for (const connection of this.#connections) connection.terminate();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  #admit(request: IncomingMessage): Admission {
    const url = URL.parse(request.url ?? '/', 'http://feed');
    if (url === null) return { refused: 400, message: 'The address is no URL.' };
    if (this.#closed) return { refused: 503, message: 'The feed is closing.' };
    if (url.pathname !== '/') return { refused: 404, message: `There is no feed at ${url.pathname}.` };
    const apiKey = url.searchParams.get('api_key') ?? '';
    const session = this.#options.sessions.resolve(apiKey, url.searchParams.get('access_token') ?? '');
    if (session === undefined) return { refused: 403, message: 'Incorrect `api_key` or `access_token`.' };
    const fault = this.#options.faults.fire('feed_refuse', { account: session.user_id });
    if (fault !== undefined) return { refused: fault.status ?? 503, message: 'Refused by a fault.' };
    const { maxConnections } = this.#options;
    if (this.#counted(apiKey) < maxConnections) return { session };
    return { refused: 429, message: `More than ${maxConnections} connections of one api_key.` };
  }

  #accept(ws: WebSocket, socket: Duplex, session: LiveSession): void {
    const { market, faults, maxInstruments, defaultMode, heartbeatMs, maxBufferedBytes } = this.#options;
    const connection = new FeedConnection({
      id: this.#nextId++,
      ws,
      socket,
      session,
      streams: this.#streams,
      faults,
      maxInstruments,
      defaultMode,
      heartbeatMs,
      maxBufferedBytes,
      connectedAt: istDateTime(market.clock.nowMs()),
      wallMs: () => market.clock.wallMs(),
    });
    this.#connections.add(connection);
    ws.on('close', () => this.#ended(connection));
  }

  #ended(connection: FeedConnection): void {
    this.#connections.delete(connection);
    connection.forget();
    const { user_id, api_key } = connection.session;
    const fault = this.#options.faults.fire('feed_hold_dead', { account: user_id });
    if (fault === undefined) return;
    const untilMs = this.#options.market.clock.wallMs() + (fault.seconds ?? HOLD_DEAD_DEFAULT_S) * 1000;
    this.#heldDead.push({ apiKey: api_key, untilMs });
  }

  #counted(apiKey: string): number {
    const wallMs = this.#options.market.clock.wallMs();
    this.#heldDead = this.#heldDead.filter(({ untilMs }) => untilMs > wallMs);
    const dead = this.#heldDead.filter((held) => held.apiKey === apiKey).length;
    return dead + [...this.#connections].filter(({ session }) => session.api_key === apiKey).length;
  }

  #flush(): void {
    for (const connection of this.#connections) connection.flush();
  }

  #tend(): void {
    for (const connection of this.#connections) connection.tend();
  }

  #sessionEnded(ended: LiveSession): void {
    if (this.#options.onSessionEnd === 'keep') return;
    for (const connection of this.#connections) {
      if (connection.session.access_token !== ended.access_token) continue;
      connection.close(SESSION_ENDED_CODE, 'The session has ended.');
    }
  }
}

/** Answers an upgrade with an ordinary HTTP error and ends the socket. */
function refuse(socket: Duplex, status: number, message: string): void {
  const error_type =
    status === 403 ? 'TokenException' : status === 429 ? 'NetworkException' : 'GeneralException';
  const body = JSON.stringify({ status: 'error', message, error_type });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
