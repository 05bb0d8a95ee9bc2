import { once } from 'node:events';
import { WebSocket } from 'ws';

/** `<exchange time in s>:<last price in paise>:<volume>`: no instrument has two changes that agree in all three. */
export type TickKey = string;

const FULL_BYTES = 184;
const INDEX_FULL_BYTES = 32;
const TAP = { user_id: 'TAP001', api_key: 'tapkey', api_secret: 'tapsecret' };

/** What the exchange sent, by instrument and in order. */
export type Sent = ReadonlyMap<number, readonly TickKey[]>;

/**
 * A feed link of another user, in full mode: faults that are armed for the streamer's user pass it by, so what it saw
 * is what the exchange sent. It shares no code with the streamer.
 */
export class ExchangeTap {
  readonly sent = new Map<number, TickKey[]>();
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary && data.length > 1) this.#take(data);
    });
  }

  static async open(simulatorUrl: string, instrumentTokens: readonly number[]): Promise<ExchangeTap> {
    await post(`${simulatorUrl}/_sim/accounts`, TAP);
    const { access_token } = await post(`${simulatorUrl}/_sim/sessions`, { api_key: TAP.api_key });
    const url = `${simulatorUrl.replace('http', 'ws')}/?api_key=${TAP.api_key}&access_token=${access_token}`;
    const socket = new WebSocket(url);
    const tap = new ExchangeTap(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ a: 'subscribe', v: instrumentTokens }));
    socket.send(JSON.stringify({ a: 'mode', v: ['full', instrumentTokens] }));
    return tap;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #take(frame: Buffer): void {
    let offset = 2;
    for (let left = frame.readUInt16BE(0); left > 0; left -= 1) {
      const length = frame.readUInt16BE(offset);
      const packet = frame.subarray(offset + 2, offset + 2 + length);
      offset += 2 + length;
      if (length === FULL_BYTES) this.#add(packet, packet.readUInt32BE(60), packet.readUInt32BE(16));
      if (length === INDEX_FULL_BYTES) this.#add(packet, packet.readUInt32BE(28), 0);
    }
  }

  #add(packet: Buffer, timeS: number, volume: number): void {
    const token = packet.readUInt32BE(0);
    const ticks = this.sent.get(token) ?? [];
    this.sent.set(token, ticks);
    ticks.push(`${timeS}:${packet.readUInt32BE(4)}:${volume}`);
  }
}

async function post(url: string, body: object): Promise<Record<string, string>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
}
