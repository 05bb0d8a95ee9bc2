import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { istMs } from '#shared/market/calendar.ts';
import type { Feed, LiveSession, Sessions } from '#simulator/contracts.ts';
import { createMarket, type MarketOptions, type SimulatedMarket } from '#simulator/engine/market.ts';
import { FaultBox } from '#simulator/faults/faults.ts';
import { createFeed, type FeedOptions } from '#simulator/feed/feed.ts';
import { until as waitUntil } from '#test/support/processes.ts';

export const NIFTY_50 = 256_265;
export const SESSION: LiveSession = { user_id: 'SIM001', api_key: 'simkey', access_token: 'good' };

/** Two users with one live token each; a test may end a session. */
class OpenSessions implements Sessions {
  readonly #listeners = new Set<(session: LiveSession) => void>();
  readonly #live = [SESSION, { user_id: 'SIM002', api_key: 'other', access_token: 'good' }];

  resolve(apiKey: string, accessToken: string): LiveSession | undefined {
    return this.#live.find((s) => s.api_key === apiKey && s.access_token === accessToken);
  }

  onEnd(listener: (session: LiveSession) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  end(session: LiveSession): void {
    this.#live.splice(this.#live.indexOf(session), 1);
    for (const listener of this.#listeners) listener(session);
  }
}

export interface FeedKit {
  readonly market: SimulatedMarket;
  readonly feed: Feed;
  readonly faults: FaultBox;
  readonly sessions: OpenSessions;
  readonly url: string;
  connect(query?: string): Promise<TestClient>;
  close(): Promise<void>;
}

/** A feed on a free port over a built-in market, by default at 11:00 of 18 Aug 2026 and running. */
export async function feedKit(
  options: Partial<Omit<FeedOptions, 'market'>> = {},
  marketOptions: MarketOptions = {},
): Promise<FeedKit> {
  const market = await createMarket({ nowMs: istMs('2026-08-18', '11:00'), ...marketOptions });
  const faults = new FaultBox(market.clock, 1);
  const sessions = new OpenSessions();
  const feed = createFeed({ market, sessions, faults, ...options });
  const server: Server = createServer();
  server.on('upgrade', (request, socket, head) => feed.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: TestClient[] = [];
  return {
    market,
    feed,
    faults,
    sessions,
    url,
    connect: async (query = 'api_key=simkey&access_token=good') => {
      const client = new TestClient(new WebSocket(`${url}/?${query}`));
      clients.push(client);
      await client.opened;
      return client;
    },
    close: async () => {
      for (const client of clients) client.socket.terminate();
      await feed.close();
      market.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** What came in: whole binary messages, text messages, and how the link ended. */
export class TestClient {
  readonly socket: WebSocket;
  readonly frames: Buffer[] = [];
  readonly texts: unknown[] = [];
  /** Rejects with the HTTP status when the upgrade is refused. */
  readonly opened: Promise<void>;
  readonly closed: Promise<number>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.opened = new Promise((resolve, reject) => {
      socket.on('open', () => resolve());
      socket.on('unexpected-response', (_, response) => {
        reject(new Error(String(response.statusCode)));
        socket.terminate();
      });
      socket.on('error', reject);
    });
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.frames.push(data);
      else this.texts.push(JSON.parse(data.toString()));
    });
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The bodies of all packets so far, heartbeats left out. */
  packets(): Buffer[] {
    return this.frames.flatMap(packetsOf);
  }
}

export function packetsOf(frame: Buffer): Buffer[] {
  if (frame.length < 2) return [];
  const packets: Buffer[] = [];
  let at = 2;
  for (let i = 0; i < frame.readUInt16BE(0); i++) {
    const length = frame.readUInt16BE(at);
    packets.push(frame.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return packets;
}

/** Waits until the feed has done what the condition says. */
export const until = (condition: () => boolean, forMs = 5_000) => waitUntil(condition, forMs, 'the feed');

export const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
