import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '#shared/clock.ts';

/** An order book of a busy day is a few megabytes; more than this is no answer of the broker's. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** A kept socket that was idle for longer may have been closed at the other end unnoticed. */
const MAX_IDLE_MS = 4_000;

/** What the one who may no longer send is told. */
export const TOO_LATE = 'its time was over before it was sent';

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** For name look-up, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** From the request's last byte to the answer's last byte. */
  readonly replyTimeoutMs: number;
  /** Asked at the last moment before bytes go to the connected socket: false sends nothing. */
  readonly mayStillSend: () => boolean;
  /** Called just before those bytes go out: from here on the outcome is not ours alone. */
  readonly onWrite: () => void;
}

export interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Keep-alive connections to the broker: dropped whole after a pause (a frozen Lambda wakes to dead sockets). */
export class BrokerConnections {
  readonly #clock: Pick<Clock, 'wallMs'>;
  #agents = newAgents();
  #lastUsedMs = 0;

  constructor(clock: Pick<Clock, 'wallMs'>) {
    this.#clock = clock;
  }

  /** Rejects with what went wrong; whether anything was written is known from `onWrite`. */
  async exchange(exchange: Exchange): Promise<Reply> {
    const agent = this.#agentFor(exchange.url);
    try {
      return await converse(exchange, agent);
    } finally {
      this.#lastUsedMs = this.#clock.wallMs();
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #agentFor(url: URL): HttpAgent {
    if (this.#clock.wallMs() - this.#lastUsedMs > MAX_IDLE_MS) this.#renew();
    return url.protocol === 'https:' ? this.#agents.https : this.#agents.http;
  }

  /** Idle sockets are closed; those in use end with their request, because their agent keeps none. */
  #renew(): void {
    const { http, https } = this.#agents;
    this.#agents = newAgents();
    for (const agent of [http, https]) {
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
    }
  }
}

function newAgents() {
  return { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
}

function converse(exchange: Exchange, agent: HttpAgent): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const { method, url, headers, connectTimeoutMs } = exchange;
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = open(url, { method, headers, agent });
  let timer = setTimeout(
    () => request.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  );
  request.once('error', reject);
  request.once('response', (response) => readReply(response).then(resolve, reject));
  onceConnected(request, url, () => {
    clearTimeout(timer);
    if (!exchange.mayStillSend()) {
      request.destroy(new Error(TOO_LATE));
      return;
    }
    timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${exchange.replyTimeoutMs} ms`)),
      exchange.replyTimeoutMs,
    );
    exchange.onWrite();
    request.end(exchange.body);
  });
  return promise.finally(() => clearTimeout(timer));
}

/** A request writes nothing before its `end`: called when its socket is connected (and secured). */
function onceConnected(request: ClientRequest, url: URL, send: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) send();
    else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', send);
  });
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) throw new Error(`the answer is longer than ${MAX_REPLY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks);
  const plain =
    response.headers['content-encoding'] === 'gzip'
      ? gunzipSync(raw, { maxOutputLength: MAX_REPLY_BYTES })
      : raw;
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? '',
    headers: response.headers,
    text: plain.toString('utf8'),
  };
}
