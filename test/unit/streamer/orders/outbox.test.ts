import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '#shared/clock.ts';
import { type OrderUpdateMessage, orderUpdateSchema } from '#shared/orders/updates.ts';
import { orderMetrics } from '#streamer/orders/metrics.ts';
import { OrderOutbox, type OutboxSettings } from '#streamer/orders/outbox.ts';
import { SampledLog } from '#streamer/sampled-log.ts';
import { until } from '#test/support/processes.ts';

/** A queue that fails as it is told; what it has stands in `messages`, without what it had before. */
class ScriptedQueue {
  readonly messages: OrderUpdateMessage[] = [];
  readonly requests: number[] = [];
  state: 'well' | 'away' | 'hung' = 'well';
  refuses: (message: OrderUpdateMessage) => boolean = () => false;
  /** The answer to so many requests is lost after they were taken. */
  answersToLose = 0;

  async send(messages: readonly OrderUpdateMessage[], signal: AbortSignal) {
    this.requests.push(messages.length);
    if (this.state === 'away') throw new Error('connect ECONNREFUSED');
    if (this.state === 'hung') {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    const taken = messages.filter((message) => !this.refuses(message));
    for (const message of taken) {
      const isKnown = this.messages.some(({ deduplication }) => deduplication === message.deduplication);
      if (!isKnown) this.messages.push(message);
    }
    if (this.answersToLose > 0) {
      this.answersToLose -= 1;
      throw new Error('socket hang up');
    }
    return new Set(taken);
  }

  updates() {
    return this.messages.map(({ body }) => orderUpdateSchema.parse(JSON.parse(body)));
  }
}

const SETTINGS: OutboxSettings = {
  maxFrames: 100,
  maxBytes: 1_000_000,
  timeoutMs: 200,
  backoffBaseMs: 5,
  backoffMaxMs: 20,
};
const clock = new ManualClock(Date.parse('2026-08-18T04:00:00Z'));

function newOutbox(queue: ScriptedQueue | undefined, settings: Partial<OutboxSettings> = {}) {
  const lines: string[] = [];
  const write = (details: object, message?: string) =>
    void lines.push(`${JSON.stringify(details)} ${message ?? ''}`);
  const logger = { error: write, warn: write };
  const sampled = new SampledLog(logger, clock);
  const outbox = new OrderOutbox(
    { ...SETTINGS, ...settings },
    { queue, clock, logger, sampled, random: () => 1 },
  );
  const frame = (order_id: string, content: string) =>
    outbox.frame('primary', 7, { order_id, status: 'OPEN', content }, `${order_id} ${content}`);
  const dropped = () => Object.fromEntries(outbox.counts.of('primary').dropped);
  return { outbox, frame, dropped, lines };
}

const isDrained = (outbox: OrderOutbox, queue: ScriptedQueue, count: number) =>
  until(() => outbox.waitingFrames === 0 && queue.messages.length >= count, 10_000, 'the outbox to drain');

const contents = (queue: ScriptedQueue, order_id: string) =>
  queue.updates().flatMap((update) => {
    return update.kind === 'frame' && update.order.order_id === order_id ? [update.order.content] : [];
  });

describe('the outbox of order frames', () => {
  it('hands on what came together in one request, each with its account, lease and time', async () => {
    const queue = new ScriptedQueue();
    const { outbox, frame } = newOutbox(queue);
    for (const order of ['1', '2', '3']) frame(order, 'a');
    await isDrained(outbox, queue, 3);
    expect(queue.requests).toEqual([3]);
    expect(queue.updates()[0]).toEqual({
      v: 1,
      kind: 'frame',
      account_id: 'primary',
      lease: 7,
      received_at: '2026-08-18T04:00:00.000Z',
      order: { order_id: '1', status: 'OPEN', content: 'a' },
    });
  });

  it('keeps everything while the queue is away, and then each order in its order, once', async () => {
    const queue = new ScriptedQueue();
    queue.state = 'away';
    const { outbox, frame, dropped } = newOutbox(queue);
    const steps = ['a', 'b', 'c'];
    for (const step of steps) for (const order of ['1', '2']) frame(order, step);
    await until(() => outbox.failuresTotal >= 3, 10_000, 'failures');
    queue.answersToLose = 2;
    queue.state = 'well';
    await isDrained(outbox, queue, 6);
    for (const order of ['1', '2']) expect(contents(queue, order)).toEqual(steps);
    expect(queue.messages).toHaveLength(6);
    expect(dropped()).toEqual({});
  });

  it('gives a request up that is never answered', async () => {
    const queue = new ScriptedQueue();
    queue.state = 'hung';
    const { outbox, frame } = newOutbox(queue);
    frame('1', 'a');
    await until(() => outbox.failuresTotal > 0, 10_000, 'the time-out');
    queue.state = 'well';
    await isDrained(outbox, queue, 1);
  });

  it('full: drops the oldest, counts it, and asks once for the order book, before anything else', async () => {
    const queue = new ScriptedQueue();
    queue.state = 'away';
    const { outbox, frame, dropped, lines } = newOutbox(queue, { maxFrames: 3 });
    for (const order of ['1', '2', '3', '4', '5', '6', '7']) frame(order, 'a');
    await until(() => outbox.failuresTotal >= 2, 10_000, 'failures');
    queue.state = 'well';
    await isDrained(outbox, queue, 4);
    const [first, ...rest] = queue.updates();
    expect(first).toMatchObject({ kind: 'sync', reason: 'dropped', account_id: 'primary', lease: 7 });
    expect(rest.map((update) => update.kind === 'frame' && update.order.order_id)).toEqual(['5', '6', '7']);
    expect(dropped()).toEqual({ full: 4 });
    expect(lines.join()).toContain('an order frame was dropped');
  });

  it('goes on past a message that the queue refuses by itself, in the end without it', async () => {
    const queue = new ScriptedQueue();
    queue.refuses = ({ body }) => body.includes('poison');
    const { outbox, frame, dropped } = newOutbox(queue);
    frame('1', 'poison');
    frame('1', 'after');
    frame('2', 'a');
    await isDrained(outbox, queue, 3);
    expect(contents(queue, '2')).toEqual(['a']);
    expect(contents(queue, '1')).toEqual(['after']);
    expect(dropped()).toEqual({ refused: 1 });
    expect(queue.updates().filter(({ kind }) => kind === 'sync')).toHaveLength(1);
  });

  it('at the stop sends what waits', async () => {
    const queue = new ScriptedQueue();
    queue.state = 'away';
    const { outbox, frame, dropped } = newOutbox(queue, { backoffBaseMs: 60_000, backoffMaxMs: 60_000 });
    for (let order = 1; order <= 25; order += 1) frame(String(order), 'a');
    await until(() => outbox.failuresTotal > 0, 10_000, 'the failure');
    queue.state = 'well';
    await outbox.close(10_000);
    expect(queue.messages).toHaveLength(25);
    expect(dropped()).toEqual({});
  });

  it('at the stop loses and counts what the queue does not take in time, and whatever comes later', async () => {
    const queue = new ScriptedQueue();
    queue.state = 'hung';
    const { outbox, frame, dropped, lines } = newOutbox(queue, { timeoutMs: 60_000 });
    for (const order of ['1', '2']) frame(order, 'a');
    await outbox.close(50);
    expect(dropped()).toEqual({ stopped: 2 });
    expect(lines.join()).toContain('"frames":2,"accounts":["primary"]');
    frame('3', 'late');
    await outbox.close(50);
    expect(dropped()).toEqual({ stopped: 3 });
    expect(queue.messages).toEqual([]);
  });

  it('without a queue counts every frame and keeps none', async () => {
    const { outbox, frame, dropped } = newOutbox(undefined);
    frame('1', 'a');
    expect(dropped()).toEqual({ no_queue: 1 });
    expect(outbox.waitingFrames).toBe(0);
    await outbox.close(50);
  });

  it('shows it all in the metrics', async () => {
    const queue = new ScriptedQueue();
    const { outbox, frame } = newOutbox(queue, { maxFrames: 1 });
    queue.state = 'away';
    for (const order of ['1', '2']) frame(order, 'a');
    const registry = new Registry();
    orderMetrics(registry, outbox);
    await until(() => outbox.failuresTotal > 0, 10_000, 'a failure');
    const text = await registry.metrics();
    expect(text).toContain('order_frames_dropped_total{account_id="primary",reason="full"} 1');
    expect(text).toContain('order_frames_waiting 1');
    queue.state = 'well';
    await isDrained(outbox, queue, 2);
    expect(await registry.metrics()).toContain('order_frames_sent_total{account_id="primary"} 1');
    expect(await registry.metrics()).toContain('order_syncs_total{account_id="primary"} 1');
  });
});
