import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisNames } from '#shared/messages/channels.ts';
import { PayloadPool } from '#streamer/publish/payload-pool.ts';
import { ReplayLog } from '#streamer/publish/replay-log.ts';
import { NO_REDIS, type OwnProcess, redisServer, startRedisProcess } from '#test/support/processes.ts';

const PREFIX = 'faults:replay';
const KEY = redisNames(PREFIX).log('options', 'primary');
const MAX_BYTES = 100_000;
const missing = redisServer() === undefined ? `: ${NO_REDIS}` : '';

describe.skipIf(redisServer() === undefined)(`the replay log${missing}`, () => {
  const pool = new PayloadPool();
  let server: OwnProcess;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedisProcess();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop('SIGKILL');
  });

  function batch(lease: number, seq: number) {
    const payload = pool.take(10_000).fill('x');
    const tags = { channel: 'options' as const, accountId: 'primary', snapshots: [], release: () => {} };
    return { ...tags, lease, seq, ticks: 1, payload };
  }

  async function ids(): Promise<string[]> {
    return (await redis.xrange(KEY, '-', '+')).map(([id]) => id);
  }

  it('keeps the newest envelopes within its size, under ids that readers can ask for', async () => {
    const log = new ReplayLog(redis, PREFIX, MAX_BYTES);
    for (let seq = 1; seq <= 50; seq += 1) await log.append(batch(1, seq), 'channel');
    expect(await ids()).toEqual(Array.from({ length: 10 }, (_, index) => `1-${41 + index}`));
  });

  it('keeps what an earlier lease left until room is needed', async () => {
    const log = new ReplayLog(redis, PREFIX, MAX_BYTES * 2);
    await log.append(batch(2, 1), 'channel');
    await log.append(batch(2, 2), 'channel');
    const kept = await ids();
    expect(kept.slice(-3)).toEqual(['1-50', '2-1', '2-2']);
    for (let seq = 3; seq <= 25; seq += 1) await log.append(batch(2, seq), 'channel');
    expect((await ids())[0]).toBe('2-6');
  });

  it('takes the same envelope twice for once, and still publishes it', async () => {
    const log = new ReplayLog(redis, PREFIX, MAX_BYTES);
    const listener = new Redis(server.url);
    let messages = 0;
    listener.on('message', () => {
      messages += 1;
    });
    await listener.subscribe('twice');
    const same = batch(3, 1);
    await log.append(same, 'twice');
    await log.append(same, 'twice');
    await redis.ping();
    await listener.unsubscribe('twice');
    listener.disconnect();
    expect((await ids()).filter((id) => id === '3-1')).toHaveLength(1);
    expect(messages).toBe(2);
  });

  it('keeps its size when an account went to another streamer and came back', async () => {
    await redis.del(KEY);
    const [here, there] = [new ReplayLog(redis, PREFIX, MAX_BYTES), new ReplayLog(redis, PREFIX, MAX_BYTES)];
    for (let seq = 1; seq <= 9; seq += 1) await here.append(batch(4, seq), 'channel');
    for (let seq = 1; seq <= 12; seq += 1) await there.append(batch(5, seq), 'channel');
    for (let seq = 1; seq <= 9; seq += 1) await here.append(batch(6, seq), 'channel');
    expect(await ids()).toEqual(Array.from({ length: 9 }, (_, index) => `6-${index + 1}`));
  });

  it('counts what is sent again once', async () => {
    await redis.del(KEY);
    const log = new ReplayLog(redis, PREFIX, MAX_BYTES);
    const sent = Array.from({ length: 6 }, (_, index) => batch(7, index + 1));
    for (const each of [...sent, ...sent]) await log.append(each, 'channel');
    expect(await ids()).toHaveLength(6);
  });
});
