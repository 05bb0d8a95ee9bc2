import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Breaker } from '#shared/breaker.ts';
import { systemClock } from '#shared/clock.ts';
import { redisNames } from '#shared/messages/channels.ts';
import { LeaseFence } from '#streamer/control/fence.ts';
import { FencedRedis, ownerHead } from '#streamer/publish/fenced-redis.ts';
import { PayloadPool } from '#streamer/publish/payload-pool.ts';
import { RedisSink } from '#streamer/publish/redis-sink.ts';
import { ReplayLog } from '#streamer/publish/replay-log.ts';
import { NO_REDIS, type OwnProcess, redisServer, startRedisProcess, until } from '#test/support/processes.ts';

const PREFIX = 'faults:fence';
const NAMES = redisNames(PREFIX);
const missing = redisServer() === undefined ? `: ${NO_REDIS}` : '';

describe.skipIf(redisServer() === undefined)(`once Redis knows of a newer lease${missing}`, () => {
  const pool = new PayloadPool();
  let server: OwnProcess;
  let redis: Redis;
  let fence: LeaseFence;

  beforeAll(async () => {
    server = await startRedisProcess();
    redis = new Redis(server.url);
    fence = new LeaseFence(redis, PREFIX);
  });
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    redis.disconnect();
    await server.stop('SIGKILL');
  });

  it('its number never falls, whoever writes what when', async () => {
    expect(await fence.raise('primary', 7)).toBe(7);
    expect(await fence.raise('primary', 5)).toBe(7);
    expect(await fence.raise('primary', 12)).toBe(12);
    expect(await fence.raise('other', 1)).toBe(1);
    expect(await fence.readAll()).toEqual(
      new Map([
        ['primary', 12],
        ['other', 1],
      ]),
    );
  });

  it.each([
    ['batch', true],
    ['batch', false],
    ['single', false],
  ] as const)('nothing is published under an older one (%s, log: %s)', async (format, hasLog) => {
    const clock = systemClock();
    const fencedOff: string[] = [];
    const heard: string[] = [];
    const failures: string[] = [];
    const listener = new Redis(server.url);
    listener.on('message', (_channel, text) => heard.push(text));
    await listener.subscribe(NAMES.ticks('options'));
    const sink = new RedisSink(
      redis,
      { prefix: PREFIX, format, maxBatches: 64, maxBytes: 1e6, timeoutMs: 2_000 },
      {
        breaker: new Breaker({ failuresToOpen: 3, openMs: 1_000, probes: 1 }, clock),
        clock,
        log: hasLog ? new ReplayLog(redis, PREFIX, 1e6) : undefined,
      },
      {
        onReady: () => {},
        onFencedOff: (accountId) => void fencedOff.push(accountId),
        onFailure: (_kind, detail) => void failures.push(detail),
      },
    );
    const publish = (lease: number) => {
      const text = `under ${lease}`;
      const payload = pool.take(text.length);
      payload.write(text);
      const tags = { channel: 'options' as const, accountId: 'primary', seq: 1, ticks: 1, release: () => {} };
      sink.publish({ ...tags, lease, payload, snapshots: [Buffer.from(text)] });
    };
    publish(6);
    await fence.raise('primary', 7);
    publish(6);
    publish(7);
    publish(8);
    await sink.settled(5_000);
    // Every envelope raises the fence, should the taker of the lease not have been able to.
    expect(await fence.readAll()).toEqual(new Map([['primary', 8]]));
    await until(() => heard.length >= 3, 5_000, 'what may be published');
    expect(heard).toEqual(['under 6', 'under 7', 'under 8']);
    expect(fencedOff).toEqual(['primary']);
    expect([sink.envelopesTotal, sink.fencedOffTotal, sink.underWay]).toEqual([3, 1, 0]);
    const logged = await redis.xrange(NAMES.log('options', 'primary'), '-', '+');
    expect(logged.map(([id]) => id)).toEqual(hasLog ? ['6-1', '7-1', '8-1'] : []);
    expect(failures).toEqual([]);
    await sink.close(0);
    listener.disconnect();
  });

  it('no last value is written or deleted under an older one, however many', async () => {
    let fencedOff = 0;
    const writer = new FencedRedis(redis, PREFIX, 'primary', () => {
      fencedOff += 1;
    });
    const fields = (text: string) => Array.from({ length: 9_000 }, (_, index) => [index, text]).flat();
    expect(await writer.call(1, 'HSET', NAMES.last, fields('first'))).toBe(true);
    await fence.raise('primary', 2);
    expect(await writer.call(1, 'HSET', NAMES.last, fields('late'))).toBe(false);
    expect(await writer.call(1, 'HDEL', NAMES.last, [1, 2, 3])).toBe(false);
    expect(fencedOff).toBe(2);
    expect(await redis.hlen(NAMES.last)).toBe(9_000);
    expect(new Set(await redis.hvals(NAMES.last))).toEqual(new Set(['first']));
    expect(await writer.call(2, 'HSET', NAMES.last, fields('next'))).toBe(true);
    expect(new Set(await redis.hvals(NAMES.last))).toEqual(new Set(['next']));
  });

  it('and whoever holds it deletes its own last values alone', async () => {
    const writer = new FencedRedis(redis, PREFIX, 'primary', () => {});
    await redis.hset(NAMES.last, {
      1: `${ownerHead('primary')}"lease":1}`,
      2: `${ownerHead('primary2')}"lease":1}`,
      3: `${ownerHead('primary')}"lease":1}`,
    });
    expect(await writer.deleteOwn(1, NAMES.last, [1, 2, 3, 4])).toBe(true);
    expect(await redis.hkeys(NAMES.last)).toEqual(['2']);
  });
});
