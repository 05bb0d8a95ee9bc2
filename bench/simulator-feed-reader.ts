import { WebSocket } from 'ws';

/** What the bench sends first: where to connect and what to take. */
interface Start {
  readonly port: number;
  readonly tokens: readonly number[];
}

/** The reader's process: subscribes in full mode, counts packets, and tells the count when asked. */
class Reader {
  #ticks = 0;

  handle(message: 'count' | Start): void {
    if (message === 'count') process.send?.({ ticks: this.#ticks, atMs: performance.now() });
    else this.#read(message);
  }

  #read({ port, tokens }: Start): void {
    const url = `ws://127.0.0.1:${port}/?api_key=bench&access_token=bench`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('open', () => {
      socket.send(JSON.stringify({ a: 'subscribe', v: tokens }));
      socket.send(JSON.stringify({ a: 'mode', v: ['full', tokens] }));
    });
    socket.on('message', (frame: Buffer) => {
      if (frame.length < 2) return;
      if (this.#ticks === 0) process.send?.('streaming');
      this.#ticks += frame.readUInt16BE(0);
    });
  }
}

const reader = new Reader();
process.on('message', (message: 'count' | Start) => reader.handle(message));
