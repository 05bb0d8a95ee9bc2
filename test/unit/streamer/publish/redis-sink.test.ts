import { EventEmitter } from 'node:events';
import { type Command, type Redis, ReplyError } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Breaker } from '#shared/breaker.ts';
import { systemClock } from '#shared/clock.ts';
import type { Batch } from '#streamer/publish/batcher.ts';
import { PayloadPool } from '#streamer/publish/payload-pool.ts';
import { RedisSink } from '#streamer/publish/redis-sink.ts';
import { until } from '#test/support/until.ts';

/** A server that refuses commands by their number and takes the others: which of several under way no real one can be told. */
class RefusingRedis extends EventEmitter {
  readonly status = 'ready';
  readonly taken: string[] = [];
  #commands = 0;
  readonly #refuses: (command: number) => boolean;

  constructor(refuses: (command: number) => boolean) {
    super();
    this.#refuses = refuses;
  }

  async sendCommand(command: Command): Promise<number> {
    this.#commands += 1;
    const isRefused = this.#refuses(this.#commands);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (isRefused) throw new ReplyError('OOM command not allowed');
    this.taken.push(/"([a-z]+ \d+)"/.exec(String(command.toWritable({} as never)))![1]!);
    return 0;
  }
}

function rig(refuses: (command: number) => boolean) {
  const redis = new RefusingRedis(refuses);
  const clock = systemClock();
  const breaker = new Breaker({ failuresToOpen: 10, openMs: 1_000, probes: 3 }, clock);
  const sink = new RedisSink(
    redis as unknown as Redis,
    { prefix: 'p', format: 'batch', maxBatches: 64, maxBytes: 1_000_000, timeoutMs: 60_000 },
    { breaker, clock, log: undefined },
    { onReady: () => {}, onFencedOff: () => {}, onFailure: () => {} },
  );
  const pool = new PayloadPool();
  const publish = (channel: Batch['channel'], seq: number) => {
    const text = `"${channel} ${seq}"`;
    const payload = pool.take(text.length);
    payload.write(text, 'latin1');
    const release = () => {};
    sink.publish({ channel, accountId: 'a', lease: 7, seq, ticks: 1, payload, snapshots: [], release });
  };
  return { redis, sink, publish };
}

describe('an envelope that Redis refuses', () => {
  it('is sent again while none of its stream was taken after it', async () => {
    const { redis, sink, publish } = rig((command) => command === 1);
    publish('options', 1);
    publish('futures', 1);
    await until(() => sink.underWay === 0, 10_000, 'both to be taken');
    expect(redis.taken).toEqual(['futures 1', 'options 1']);
    expect(sink.overtakenTotal).toBe(0);
    await sink.close(0);
  });

  it('is not sent after later ones of its stream: its number is the hole that readers see', async () => {
    const { redis, sink, publish } = rig((command) => command === 1);
    for (const seq of [1, 2, 3]) publish('options', seq);
    await until(() => sink.underWay === 0, 10_000, 'all to be answered');
    publish('options', 4);
    await until(() => sink.underWay === 0, 10_000, 'one more to be taken');
    expect(redis.taken).toEqual(['options 2', 'options 3', 'options 4']);
    expect(sink.overtakenTotal).toBe(1);
    await sink.close(0);
  });
});
