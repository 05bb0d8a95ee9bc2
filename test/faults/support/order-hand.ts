import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Instrument } from '#shared/market/instrument.ts';
import { newSession } from '#test/support/streamer-rig.ts';

const API_KEY = 'simkey';

/** A frame's `data` as the exchange sent it. */
export type SentOrder = Readonly<Record<string, unknown>> & {
  readonly order_id: string;
  readonly status: string;
};

/** Trades by hand for the streamer's user, on a link of its own that sees every order frame, and takes no ticks. */
export class OrderHand {
  readonly sent: SentOrder[] = [];
  readonly #socket: WebSocket;
  readonly #simulatorUrl: string;
  readonly #token: string;

  private constructor(simulatorUrl: string, token: string, socket: WebSocket) {
    this.#simulatorUrl = simulatorUrl;
    this.#token = token;
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return;
      const frame = JSON.parse(data.toString('utf8')) as { type: string; data: SentOrder };
      if (frame.type === 'order') this.sent.push(frame.data);
    });
  }

  static async open(simulatorUrl: string): Promise<OrderHand> {
    const token = await newSession(simulatorUrl);
    const socket = new WebSocket(
      `${simulatorUrl.replace('http', 'ws')}/?api_key=${API_KEY}&access_token=${token}`,
    );
    const hand = new OrderHand(simulatorUrl, token, socket);
    await once(socket, 'open');
    return hand;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  /** A limit order far below the market: it rests in the book. */
  rest({ exchange, tradingsymbol, lot_size, tick_size }: Instrument): Promise<string> {
    const order = { exchange, tradingsymbol, transaction_type: 'BUY', product: 'NRML', validity: 'DAY' };
    const limit = { order_type: 'LIMIT', quantity: lot_size, price: tick_size };
    return this.#call('POST', '/orders/regular', { ...order, ...limit });
  }

  /** At the market: it fills at once. */
  fill({ exchange, tradingsymbol, lot_size }: Instrument): Promise<string> {
    const order = { exchange, tradingsymbol, transaction_type: 'BUY', product: 'NRML', validity: 'DAY' };
    const market = { order_type: 'MARKET', quantity: lot_size, market_protection: -1 };
    return this.#call('POST', '/orders/regular', { ...order, ...market });
  }

  modify(orderId: string, change: Readonly<Record<string, unknown>>): Promise<string> {
    return this.#call('PUT', `/orders/regular/${orderId}`, change);
  }

  cancel(orderId: string): Promise<string> {
    return this.#call('DELETE', `/orders/regular/${orderId}`);
  }

  async #call(method: string, path: string, form: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const fields = Object.entries(form).map(([name, value]): [string, string] => [name, String(value)]);
    const response = await fetch(`${this.#simulatorUrl}${path}`, {
      method,
      headers: { 'X-Kite-Version': '3', Authorization: `token ${API_KEY}:${this.#token}` },
      ...(method === 'DELETE' ? {} : { body: new URLSearchParams(fields) }),
    });
    const { data, message } = (await response.json()) as {
      data: { order_id: string } | null;
      message?: string;
    };
    if (data?.order_id === undefined)
      throw new Error(`${method} ${path} answered ${response.status}: ${message}`);
    return data.order_id;
  }
}
