import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Breaker } from '#shared/breaker.ts';
import { BrokerClient } from '#shared/broker/client.ts';
import { BrokerConnections } from '#shared/broker/transport.ts';
import { brokerOrder } from '#shared/orders/broker-order.ts';
import { changed, claimed } from '#shared/orders/change.ts';
import {
  IdempotencyKeyReusedError,
  TaskRepository,
  VersionConflictError,
} from '#shared/orders/repository.ts';
import type { SlotRequest } from '#shared/orders/slot-book.ts';
import { newTaskId, sliceTag } from '#shared/orders/tags.ts';
import type { Task } from '#shared/orders/types.ts';
import { OrderDesk, SETTINGS } from './order-desk.ts';

let desk: OrderDesk;
beforeAll(async () => {
  desk = await OrderDesk.open();
});
afterAll(() => desk?.close());
afterEach(async () => {
  await desk.clearFaults();
  await desk.closeBreaker();
});

describe('an order on its way to the broker', () => {
  it('ends COMPLETED with the order_id of the one order at the broker', async () => {
    const task = await desk.finish(await desk.accepted());
    const orders = await desk.ordersOf(task);
    expect(orders).toHaveLength(1);
    expect(task).toMatchObject({
      status: 'COMPLETED',
      slices: [{ order_id: orders[0]!.order_id, tag: orders[0]!.tag }],
      attempt: { number: 1 },
    });
  });

  it('above the freeze limit becomes slices, each with a tag of its own', async () => {
    const quantity = desk.option.lot_size * 60;
    const task = await desk.finish(await desk.accepted({ quantity }));
    const orders = await desk.ordersOf(task);
    expect(task.status).toBe('COMPLETED');
    expect(orders.map((order) => order.quantity).sort((a, b) => b - a)).toEqual(
      task.slices.map((slice) => slice.quantity),
    );
    expect(orders.reduce((sum, order) => sum + order.quantity, 0)).toBe(quantity);
    expect(new Set(orders.map(({ tag }) => tag)).size).toBe(task.slices.length);
  });

  it('that the broker refuses ends FAILED with its reason and no order', async () => {
    const task = await desk.accepted();
    const broken = { ...task, request: { ...task.request, tradingsymbol: 'NOSUCHSYMBOL' }, version: 2 };
    const ended = await desk.finish(await desk.tasks.save(broken));
    expect(ended).toMatchObject({
      status: 'FAILED',
      reason: { code: 'refused', error_type: 'InputException' },
    });
    expect(await desk.ordersOf(ended)).toEqual([]);
  });
});

describe('never two', () => {
  it.each([
    ['the answer is lost', [{ kind: 'order_reply_lost' }]],
    ['the broker says to check the order book', [{ kind: 'order_check_book' }]],
    [
      'the answer is lost and the order shows late',
      [{ kind: 'order_reply_lost' }, { kind: 'order_late', delay_ms: 1_200 }],
    ],
    ['the gateway answers 502 in place of the order system', [{ kind: 'order_reply_lost', ms: 50 }]],
  ] as const)('when %s: found, COMPLETED, one order', async (_, faults) => {
    const accepted = await desk.accepted();
    for (const fault of faults) await desk.arm(fault);
    const task = await desk.finish(accepted);
    const orders = await desk.ordersOf(task);
    expect(orders).toHaveLength(1);
    expect(task).toMatchObject({ status: 'COMPLETED', slices: [{ order_id: orders[0]!.order_id }] });
    expect(task.attempt?.number).toBe(1);
  });

  it('when the answer to an iceberg is lost whose legs already fill: COMPLETED by its first leg', async () => {
    const { lot_size } = desk.option;
    const legs = { variety: 'iceberg', iceberg_legs: 2, iceberg_quantity: lot_size } as const;
    const accepted = await desk.accepted({ ...legs, quantity: 2 * lot_size, price: desk.highestPrice() });
    await desk.arm({ kind: 'order_reply_lost' });
    const task = await desk.finish(accepted);
    const orders = await desk.ordersOf(task);
    expect(orders).toHaveLength(2);
    expect(task).toMatchObject({ status: 'COMPLETED', slices: [{ order_id: orders[0]!.order_id }] });
  });

  it('when an order only shows late: COMPLETED at once, one order', async () => {
    const accepted = await desk.accepted();
    await desk.arm({ kind: 'order_late', delay_ms: 500 });
    const task = await desk.finish(accepted);
    expect(task.status).toBe('COMPLETED');
    expect(await desk.ordersOf(task)).toHaveLength(1);
  });

  it('when the request is lost: not seen over the whole window, placed again, one order', async () => {
    const accepted = await desk.accepted();
    await desk.arm({ kind: 'order_request_lost' });
    const startedMs = Date.now();
    const task = await desk.finish(accepted);
    expect(Date.now() - startedMs).toBeGreaterThan(SETTINGS.lateOrderWindowMs);
    expect(task).toMatchObject({ status: 'COMPLETED', attempt: { number: 2 } });
    expect(await desk.ordersOf(task)).toHaveLength(1);
  });

  it('when the request is lost and on_unknown is stop: FAILED not_seen, no order', async () => {
    const accepted = await desk.accepted({ on_unknown: 'stop' });
    await desk.arm({ kind: 'order_request_lost' });
    const task = await desk.finish(accepted);
    expect(task).toMatchObject({ status: 'FAILED', reason: { code: 'not_seen' } });
    expect(await desk.ordersOf(task)).toEqual([]);
  });

  it('when four workers take the same message at once: one order each', async () => {
    const accepted = await Promise.all([desk.accepted(), desk.accepted()]);
    const workers = [desk.worker(), desk.worker(), desk.worker(), desk.worker()];
    for (const task of accepted) await Promise.all(workers.map((worker) => desk.finish(task, worker)));
    for (const task of accepted) expect(await desk.ordersOf(task)).toHaveLength(1);
  });

  it('when a worker vanishes between claim and writing: placed by the next, one order', async () => {
    const accepted = await desk.accepted();
    await desk.tasks.save(claimed(accepted, Date.now(), SETTINGS.attemptMs));
    const task = await desk.finish(accepted);
    expect(task).toMatchObject({ status: 'COMPLETED', attempt: { number: 2 } });
    expect(await desk.ordersOf(task)).toHaveLength(1);
  });

  it('when a worker vanishes between writing and noting it: found by the next, one order', async () => {
    const accepted = await desk.accepted();
    await desk.tasks.save(claimed(accepted, Date.now(), SETTINGS.attemptMs));
    await placeUnnoted(accepted);
    const task = await desk.finish(accepted);
    expect(task).toMatchObject({ status: 'COMPLETED', attempt: { number: 1 } });
    expect(await desk.ordersOf(task)).toHaveLength(1);
  });

  it.each(['its claim', 'its slot'])(
    'when a worker freezes after %s and wakes past its deadline: it sends nothing itself',
    async (moment) => {
      const accepted = await desk.accepted();
      let frozenMs = 0;
      const freezeAt = (now: string) => {
        if (now === moment) frozenMs += SETTINGS.attemptMs + 1;
      };
      const clock = { nowMs: () => desk.clock.nowMs(), wallMs: () => desk.clock.wallMs() + frozenMs };
      const tasks = {
        get: (taskId: string) => desk.tasks.get(taskId),
        save: async (next: Task) => {
          const saved = await desk.tasks.save(next);
          if (next.status === 'RUNNING') freezeAt('its claim');
          return saved;
        },
      };
      const book = desk.slots();
      const slots = {
        reserve: async (request: SlotRequest) => {
          const slot = await book.reserve(request);
          freezeAt('its slot');
          return slot;
        },
      };
      await desk.worker({ clock, tasks, slots }).work(accepted.task_id, turns(1));
      expect(await desk.ordersOf(accepted)).toEqual([]);
      const task = await desk.tasks.get(accepted.task_id);
      expect(task?.status).toBe('RETRYING');
      expect(task?.reason?.message).toBe('its time was over before it was sent');
    },
  );

  it('when the broker cannot be reached: EXPIRED with the reason, no order', async () => {
    const not_after = new Date(Date.now() + 1_500).toISOString();
    const task = await desk.finish(
      await desk.accepted({ not_after }),
      desk.worker({ root: 'http://127.0.0.1:1' }),
    );
    expect(task).toMatchObject({ status: 'EXPIRED', reason: { code: 'expired' } });
    expect(task.reason?.message).toContain('ECONNREFUSED');
    expect(await desk.ordersOf(task)).toEqual([]);
  });

  it('when the session is dead at first: placed once there is another, one order', async () => {
    const accepted = await desk.accepted();
    desk.simulator.box.sessions.endAllOf('SIM001');
    const worker = desk.worker();
    await worker.work(accepted.task_id, turns(1));
    expect(await desk.tasks.get(accepted.task_id)).toMatchObject({
      status: 'RETRYING',
      reason: { code: 'session_dead', error_type: 'TokenException' },
    });
    await desk.login();
    const task = await desk.finish(accepted, worker);
    expect(task.status).toBe('COMPLETED');
    expect(await desk.ordersOf(task)).toHaveLength(1);
  });

  it('when nobody can read the order book: DEAD_LETTER, at most one order', async () => {
    const accepted = await desk.accepted();
    await desk.arm({ kind: 'order_reply_lost' });
    await desk.arm({
      kind: 'http_error',
      path: '/orders',
      status: 503,
      error_type: 'NetworkException',
      count: 1_000,
    });
    const task = await desk.finish(accepted);
    expect(task).toMatchObject({ status: 'DEAD_LETTER', reason: { code: 'outcome_unknown' } });
    expect((await desk.ordersOf(task)).length).toBeLessThanOrEqual(1);
  });

  it('when one slice of three is refused: PARTIAL, with what is live named', async () => {
    const task = await desk.accepted({ quantity: desk.option.lot_size * 60 });
    const slices = task.slices.map((slice, index) => (index === 1 ? { ...slice, quantity: 7 } : slice));
    const ended = await desk.finish(await desk.tasks.save({ ...task, slices, version: 2 }));
    const orders = await desk.ordersOf(ended);
    expect(ended).toMatchObject({ status: 'PARTIAL', reason: { code: 'refused' } });
    expect(ended.slices.flatMap(({ order_id }) => order_id ?? [])).toEqual(
      orders.map(({ order_id }) => order_id),
    );
  });

  it('under random faults of every kind: exactly what the task says', async () => {
    const kinds = ['order_reply_lost', 'order_request_lost', 'order_check_book', 'order_late'] as const;
    for (const kind of kinds) await desk.arm({ kind, probability: 0.3, delay_ms: 600 });
    const accepted = [];
    const not_after = new Date(Date.now() + 12_000).toISOString();
    for (let order = 0; order < 8; order += 1) accepted.push(await desk.accepted({ not_after }));
    const worker = desk.worker();
    const ended = await Promise.all(accepted.map((task) => desk.finish(task, worker)));
    for (const task of ended) {
      const orders = await desk.ordersOf(task);
      expect(orders.length).toBe(task.status === 'COMPLETED' ? 1 : 0);
      expect(['COMPLETED', 'EXPIRED']).toContain(task.status);
    }
  });
});

describe('the rate limits of the broker', () => {
  // A slow table makes forty writers of one item take turns: time enough, the spacing is what counts.
  it('hold over workers that know nothing of each other: forty orders at once, none refused', {
    timeout: 240_000,
  }, async () => {
    const accepted = await Promise.all(Array.from({ length: 40 }, () => desk.accepted()));
    const workers = [desk.worker(), desk.worker(), desk.worker()];
    const ended = await Promise.all(
      accepted.map((task, index) => desk.finish(task, workers[index % workers.length])),
    );
    expect(ended.map(({ status }) => status)).toEqual(accepted.map(() => 'COMPLETED'));
    const orders = (await Promise.all(ended.map((task) => desk.ordersOf(task)))).flat();
    expect(orders).toHaveLength(40);
    const receivedMs = orders.map(({ received_at }) => Date.parse(received_at)).sort((a, b) => a - b);
    for (const [index, ms] of receivedMs.entries())
      expect((receivedMs[index + 10] ?? Number.POSITIVE_INFINITY) - ms).toBeGreaterThanOrEqual(1_000);
  });
});

describe('the breaker of all workers', () => {
  it('opens for all of them at the fifth failure in a row, lets three probes through after its time, then closes', async () => {
    let laterMs = 0;
    const clock = { wallMs: () => desk.clock.wallMs() + laterMs, nowMs: () => desk.clock.nowMs() };
    const [one, other] = [desk.breaker(clock), desk.breaker(clock)];
    await one.succeeded();
    for (const breaker of [one, other, one, other]) await breaker.failed();
    expect(await other.tryEnter()).toBe(true);
    await one.failed();
    expect([await one.tryEnter(), await other.tryEnter()]).toEqual([false, false]);
    laterMs = 60_000;
    const entered = await Promise.all([one, other, one, other, one].map((breaker) => breaker.tryEnter()));
    expect(entered.filter(Boolean)).toHaveLength(3);
    for (const breaker of [one, other, one]) await breaker.succeeded();
    expect(await Promise.all([one.tryEnter(), other.tryEnter(), one.tryEnter(), other.tryEnter()])).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  it('keeps orders from being sent while it is open, and what was certain not to be sent is tried again', async () => {
    for (let failure = 0; failure < 5; failure += 1) await desk.breaker().failed();
    const accepted = await desk.accepted();
    await desk.worker().work(accepted.task_id, turns(1));
    expect(await desk.tasks.get(accepted.task_id)).toMatchObject({
      status: 'RETRYING',
      reason: { code: 'not_sent', message: 'the breaker of the broker is open' },
    });
    expect(await desk.ordersOf(accepted)).toEqual([]);
    await desk.closeBreaker();
    expect((await desk.finish(accepted)).status).toBe('COMPLETED');
  });
});

describe('tasks in the table', () => {
  const draft = async () => {
    const stored = await desk.accepted();
    const task_id = newTaskId(Date.now());
    return { ...stored, task_id, slices: [{ tag: sliceTag(task_id, 0), quantity: stored.request.quantity }] };
  };

  it('one idempotency key makes one task, also when ten come at once', async () => {
    const drafts = await Promise.all(Array.from({ length: 10 }, draft));
    const made = await Promise.all(drafts.map((task) => desk.tasks.create(task, 'key-1')));
    expect(new Set(made.map(({ task_id }) => task_id)).size).toBe(1);
    const stored = await Promise.all(drafts.map(({ task_id }) => desk.tasks.get(task_id)));
    expect(stored.filter((task) => task !== undefined)).toHaveLength(1);
    const found = await desk.tasks.madeBefore('desk', drafts[0]!.request, 'key-1', Date.now());
    expect(found?.task_id).toBe(made[0]!.task_id);
  });

  it('the same key for another order is refused; for another caller or account it is another key', async () => {
    const task = await draft();
    await desk.tasks.create(task, 'key-2');
    const other = await draft();
    const changed = { ...other, request: { ...other.request, quantity: 9_000 } };
    await expect(desk.tasks.create(changed, 'key-2')).rejects.toThrow(IdempotencyKeyReusedError);
    const another = await draft();
    await expect(desk.tasks.create({ ...another, owner: 'somebody' }, 'key-2')).resolves.toMatchObject({
      task_id: another.task_id,
    });
  });

  it('a key is forgotten after seven days', async () => {
    const task = await draft();
    const longAgoMs = Date.now() - 7 * 86_400_000 - 2_000;
    await desk.tasks.create({ ...task, updated_at_ms: longAgoMs }, 'key-3');
    const again = await draft();
    await expect(desk.tasks.create(again, 'key-3')).resolves.toMatchObject({ task_id: again.task_id });
  });

  it('a write that came through although its answer was lost counts as done, also when it ends the task', async () => {
    const twice = new TaskRepository(desk.sendingTwice(), desk.tableName);
    const made = await twice.create(await draft(), 'key-4');
    const running = await twice.save(claimed(made, Date.now(), 1_000));
    const ended = changed(running, { event: 'taken', orderId: '1' }, Date.now());
    expect(await twice.save(ended)).toMatchObject({ status: 'COMPLETED' });
    expect(await desk.tasks.get(made.task_id)).toMatchObject({ status: 'COMPLETED', version: 3 });
  });

  it('a change upon an old version is refused', async () => {
    const task = await desk.accepted();
    await desk.tasks.save(claimed(task, Date.now(), 1_000));
    await expect(desk.tasks.save(claimed(task, Date.now(), 1_000))).rejects.toThrow(VersionConflictError);
  });

  it('are listed newest first, page by page, and as open only while they are', async () => {
    const made: Task[] = [];
    for (let count = 0; count < 5; count += 1) {
      made.push(await desk.accepted());
      await sleep(2);
    }
    const ids = made.map(({ task_id }) => task_id).reverse();
    const first = await desk.tasks.list(desk.accountId, { limit: 2 });
    expect(first.items.map(({ task_id }) => task_id)).toEqual(ids.slice(0, 2));
    const second = await desk.tasks.list(desk.accountId, { limit: 3, after: first.next });
    expect(second.items.map(({ task_id }) => task_id)).toEqual(ids.slice(2));

    const openIds = async () => (await desk.tasks.listOpen('~')).map(({ task_id }) => task_id);
    expect(await openIds()).toEqual(expect.arrayContaining(ids));
    await desk.finish(made[0]!);
    expect(await openIds()).not.toContain(made[0]!.task_id);
  });
});

/** Lets the worker take so many turns. */
function turns(count: number): () => boolean {
  let left = count;
  return () => left-- > 0;
}

async function placeUnnoted(task: Task): Promise<void> {
  const session = await desk.accounts.readSession(desk.accountId);
  const connections = new BrokerConnections(desk.clock);
  const client = new BrokerClient({
    root: desk.simulator.url,
    apiKey: session!.api_key,
    accessToken: session!.access_token,
    connectTimeoutMs: 500,
    replyTimeoutMs: 2_000,
    connections,
    breaker: new Breaker({ failuresToOpen: 5, openMs: 60_000, probes: 3 }, desk.clock),
  });
  await client.placeOrder(brokerOrder(task.request, task.slices[0]!), () => true);
  connections.close();
}
