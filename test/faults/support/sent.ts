import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Pauses } from './pauses.ts';
import { type TickKey, tickKey } from './tick-key.ts';

const FULL_BYTES = 184;
const INDEX_FULL_BYTES = 32;
/** The broker's limit; a tap of more opens another link. */
const TOKENS_A_LINK = 3_000;

/** What the exchange sent, by instrument and in order. */
export type Sent = ReadonlyMap<number, readonly TickKey[]>;

/**
 * Feed links of another user, in full mode: faults that are armed for the streamer's user pass it by, so what it saw
 * is what the exchange sent. It shares no code with the streamer.
 */
export class ExchangeTap {
  readonly sent = new Map<number, TickKey[]>();
  readonly pauses = new Pauses();
  readonly #simulatorUrl: string;
  readonly #tokens: readonly number[];
  readonly #apiKey: string;
  #sockets: readonly WebSocket[] = [];

  private constructor(simulatorUrl: string, tokens: readonly number[], apiKey: string) {
    this.#simulatorUrl = simulatorUrl;
    this.#tokens = tokens;
    this.#apiKey = apiKey;
  }

  /** @param user letters and digits; taps that are open at the same time need a user each. */
  static async open(
    simulatorUrl: string,
    instrumentTokens: readonly number[],
    user = 'TAP001',
  ): Promise<ExchangeTap> {
    const app = { user_id: user, api_key: `${user}key`, api_secret: 'tapsecret' };
    await postJson(`${simulatorUrl}/_sim/accounts`, app);
    const tap = new ExchangeTap(simulatorUrl, instrumentTokens, app.api_key);
    await tap.login();
    return tap;
  }

  /** New links under the user's session of now; what was sent while there were none is not known. */
  async login(): Promise<void> {
    await this.close();
    const api_key = this.#apiKey;
    const { access_token } = await postJson(`${this.#simulatorUrl}/_sim/sessions`, { api_key });
    const url = `${this.#simulatorUrl.replace('http', 'ws')}/?api_key=${api_key}&access_token=${access_token}`;
    const chunks = Array.from({ length: Math.ceil(this.#tokens.length / TOKENS_A_LINK) }, (_, index) =>
      this.#tokens.slice(index * TOKENS_A_LINK, (index + 1) * TOKENS_A_LINK),
    );
    this.#sockets = chunks.map(() => this.#connect(url));
    await Promise.all(this.#sockets.map((socket) => once(socket, 'open')));
    for (const [index, socket] of this.#sockets.entries()) {
      socket.send(JSON.stringify({ a: 'subscribe', v: chunks[index] }));
      socket.send(JSON.stringify({ a: 'mode', v: ['full', chunks[index]] }));
    }
  }

  #connect(url: string): WebSocket {
    const socket = new WebSocket(url);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary && data.length > 1) this.#take(data);
    });
    return socket;
  }

  async close(): Promise<void> {
    const open = this.#sockets.filter((socket) => socket.readyState !== WebSocket.CLOSED);
    const closed = open.map((socket) => once(socket, 'close'));
    for (const socket of open) socket.close();
    await Promise.all(closed);
  }

  #take(frame: Buffer): void {
    const nowMs = performance.now();
    let offset = 2;
    for (let left = frame.readUInt16BE(0); left > 0; left -= 1) {
      const length = frame.readUInt16BE(offset);
      const at = offset + 2;
      offset = at + length;
      if (length === FULL_BYTES) {
        this.#add(
          frame,
          at,
          { timeS: frame.readUInt32BE(at + 60), volume: frame.readUInt32BE(at + 16) },
          nowMs,
        );
      }
      if (length === INDEX_FULL_BYTES) {
        this.#add(frame, at, { timeS: frame.readUInt32BE(at + 28), volume: 0 }, nowMs);
      }
    }
  }

  #add(frame: Buffer, at: number, tick: { timeS: number; volume: number }, nowMs: number): void {
    const token = frame.readUInt32BE(at);
    let ticks = this.sent.get(token);
    if (ticks === undefined) {
      ticks = [];
      this.sent.set(token, ticks);
    }
    ticks.push(tickKey(tick.timeS, frame.readUInt32BE(at + 4), tick.volume));
    this.pauses.arrived(token, nowMs);
  }
}

/** @throws with the answer's text when it is not a success. */
export async function postJson<T = Record<string, string>>(url: string, body: object): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
