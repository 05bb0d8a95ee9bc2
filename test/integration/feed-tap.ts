import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Client } from './client.ts';

/** What the exchange sent for an instrument: `<exchange time in s>:<last price in paise>`. */
type SentTick = string;

const EXCHANGE_TIME_OFFSET: Readonly<Record<number, number>> = { 32: 28, 184: 60 };

/**
 * A feed connection of the test's own, in full mode beside the streamer's: what it saw is what the exchange sent, read
 * by a few lines that share nothing with the streamer.
 */
export class FeedTap {
  readonly #socket: WebSocket;
  readonly #sent = new Map<number, Set<SentTick>>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary && data.length > 1) this.#take(data);
    });
  }

  static async open(client: Client, instrumentTokens: readonly number[]): Promise<FeedTap> {
    const { body } = await client.simulator('POST', '/_sim/sessions', { api_key: 'simkey' });
    const { access_token } = body as { access_token: string };
    const url = client.platform.outputs.simulator_url.replace('http', 'ws');
    const socket = new WebSocket(`${url}/?api_key=simkey&access_token=${access_token}`);
    const tap = new FeedTap(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ a: 'subscribe', v: instrumentTokens }));
    socket.send(JSON.stringify({ a: 'mode', v: ['full', instrumentTokens] }));
    return tap;
  }

  #take(frame: Buffer): void {
    let offset = 2;
    for (let packet = frame.readUInt16BE(0); packet > 0; packet -= 1) {
      const length = frame.readUInt16BE(offset);
      const timeOffset = EXCHANGE_TIME_OFFSET[length];
      const body = frame.subarray(offset + 2, offset + 2 + length);
      offset += 2 + length;
      if (timeOffset === undefined) continue;
      const token = body.readUInt32BE(0);
      const ticks = this.#sent.get(token) ?? new Set();
      ticks.add(`${body.readUInt32BE(timeOffset)}:${body.readUInt32BE(4)}`);
      this.#sent.set(token, ticks);
    }
  }

  /** Ticks sent for the instrument, by exchange time and price. */
  of(instrumentToken: number): ReadonlySet<SentTick> {
    return this.#sent.get(instrumentToken) ?? new Set();
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}
