import { once } from 'node:events';
import { Redis } from 'ioredis';
import { redisNames } from '#shared/messages/channels.ts';
import { BENCH_PREFIX } from './lane.ts';
import { benchEnvelopes } from './reader-envelopes.ts';

/** Publishes envelopes for as long as the reader keeps up. argv: Redis URL. Messages in: how many it has read. */
const [redisUrl = ''] = process.argv.slice(2);
/** Enough for the reader never to wait, too few for Redis to throw it out or for the reader to fold. */
const AHEAD = 64;

const redis = new Redis(redisUrl);
await once(redis, 'ready');
const envelopes = benchEnvelopes().map(
  (text) => text.replace(/"seq":\d+/, '"seq":#').split('#') as [string, string],
);
const channel = redisNames(BENCH_PREFIX).ticks('options');
let seq = 0;
let read = 0;

function publish(): void {
  while (seq - read < AHEAD) {
    seq += 1;
    const [head, tail] = envelopes[seq % envelopes.length]!;
    void redis.publish(channel, `${head}${seq}${tail}`);
  }
}

process.on('message', (count: number) => {
  read = count;
  publish();
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
