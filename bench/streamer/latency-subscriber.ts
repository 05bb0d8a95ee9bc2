import { createConnection } from 'node:net';
import { percentile } from '../figure.ts';

/**
 * A process that measures how old the first tick of each envelope is when the envelope's last byte gets here. It reads
 * the protocol itself in one buffer used again, so that its own garbage collector is no part of the figure.
 * argv: port, channel.
 */
const [port, channel = ''] = process.argv.slice(2);
const RECEIVED = '"received_ts":';
/** A message's own head and its first tick stand within them. */
const LOOKED_AT = 2_048;
const MESSAGE = `$${channel.length}\r\n${channel}\r\n$`;

let agesMs: number[] = [];
let holes = 0;
let lastSeq = 0;
/** Bytes of the current envelope that are still to come, 0 between two. */
let remaining = 0;
let head = '';

function completed(): void {
  const nowMs = performance.timeOrigin + performance.now();
  const seq = Number(/"seq":(\d+)/.exec(head)?.[1]);
  if (lastSeq > 0 && seq > lastSeq) holes += seq - lastSeq - 1;
  lastSeq = seq;
  const at = head.indexOf(RECEIVED);
  if (at >= 0)
    agesMs.push(nowMs - Number.parseInt(head.slice(at + RECEIVED.length, at + RECEIVED.length + 15), 10));
  head = '';
}

/** Looks for the next envelope's length in what came between two. */
function begin(text: string): number {
  head += text;
  const at = head.indexOf(MESSAGE);
  const end = at < 0 ? -1 : head.indexOf('\r\n', at + MESSAGE.length);
  if (end < 0) return -1;
  remaining = Number(head.slice(at + MESSAGE.length, end));
  const used = end + 2 - (head.length - text.length);
  head = '';
  return used;
}

function received(chunk: Buffer): void {
  let at = 0;
  while (at < chunk.length) {
    if (remaining === 0) {
      const used = begin(chunk.toString('latin1', at, Math.min(chunk.length, at + 256)));
      if (used < 0) return;
      at += used;
    }
    const taken = Math.min(remaining, chunk.length - at);
    if (head.length < LOOKED_AT)
      head += chunk.toString('latin1', at, at + Math.min(taken, LOOKED_AT - head.length));
    remaining -= taken;
    at += taken;
    if (remaining === 0) completed();
  }
}

const socket = createConnection({
  host: '127.0.0.1',
  port: Number(port),
  onread: {
    buffer: Buffer.alloc(1 << 20),
    callback: (bytes, buffer) => {
      received(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      return true;
    },
  },
});
socket.write(`SUBSCRIBE ${channel}\r\n`, () => process.send?.('ready'));

process.on('message', (question) => {
  if (question === 'report') {
    process.send?.({
      p50: percentile(agesMs, 0.5),
      p99: percentile(agesMs, 0.99),
      count: agesMs.length,
      holes,
    });
  } else {
    agesMs = [];
    holes = 0;
    process.send?.('done');
  }
});
process.on('disconnect', () => process.exit(0));
