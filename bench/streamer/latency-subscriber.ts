import { Redis } from 'ioredis';
import { percentile } from '../figure.ts';

/** A process that measures how old each tick's arrival is when its envelope gets here. argv: url, channel. */
const [url = '', channel = ''] = process.argv.slice(2);
const redis = new Redis(url);
let agesMs: number[] = [];
let holes = 0;
let lastSeq = 0;
/** An envelope's own fields stand within them. */
const HEAD_BYTES = 160;
const RECEIVED = Buffer.from('"received_ts":');

redis.on('messageBuffer', (_channel: Buffer, payload: Buffer) => {
  const nowMs = performance.timeOrigin + performance.now();
  const seq = Number(/"seq":(\d+)/.exec(payload.toString('latin1', 0, HEAD_BYTES))?.[1]);
  if (lastSeq > 0 && seq > lastSeq) holes += seq - lastSeq - 1;
  lastSeq = seq;
  // The first tick of an envelope has waited longest.
  const at = payload.indexOf(RECEIVED);
  if (at < 0) return;
  const receivedMs = Number(payload.toString('latin1', at + RECEIVED.length, payload.indexOf(',', at)));
  agesMs.push(nowMs - receivedMs);
});

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
await redis.subscribe(channel);
process.send?.('ready');
