import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy } from '#local/fault-proxy/proxy.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { OrderUpdate } from '#shared/orders/updates.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { RIG_ACCOUNT } from '#test/support/streamer-rig.ts';
import { type FleetAws, hasEmulator, NO_EMULATOR, startAws } from './support/fleet-aws.ts';
import { OrderHand, type SentOrder } from './support/order-hand.ts';
import { liveInstruments, NOTHING, Scene } from './support/scene.ts';
import { postJson } from './support/sent.ts';
import { startUpdatesQueue, type UpdatesQueueUnderTest } from './support/updates-queue.ts';

const FULL = process.env.FULL === '1';
const OUTAGE_MS = FULL ? 30_000 : 3_000;
const ORDERS = FULL ? 100 : 12;
const WAIT_MS = 30_000;
/** For 40 instruments; the third that the broker allows is the hand's. */
const TWO_CONNECTIONS = { INSTRUMENTS_PER_CONNECTION: '30', CONNECTION_SOFT_TARGET: '20' };
const missing = redisServer() === undefined ? NO_REDIS : hasEmulator() ? undefined : NO_EMULATOR;

type Frame = Extract<OrderUpdate, { kind: 'frame' }>;
const isFrame = (update: OrderUpdate): update is Frame => update.kind === 'frame';

function byOrder(orders: readonly SentOrder[]): Record<string, SentOrder[]> {
  return Object.groupBy(orders, ({ order_id }) => order_id) as Record<string, SentOrder[]>;
}

describe.skipIf(missing !== undefined)(`order frames and their queue${missing ? `: ${missing}` : ''}`, () => {
  let simulator: OwnProcess;
  let redis: OwnProcess;
  let aws: FleetAws;
  let instruments: Instrument[];
  let option: Instrument;
  let queue: UpdatesQueueUnderTest;
  let hand: OrderHand;
  let scene: Scene;
  let scenes = 0;

  beforeAll(async () => {
    [simulator, redis, aws] = await Promise.all([
      startSimulatorProcess(['--market', 'open']),
      startRedisProcess(),
      startAws('faults-order-frames'),
    ]);
    await postJson(`${simulator.url}/_sim/switches`, { order_limits: false, rate_limits: false });
    instruments = await liveInstruments(simulator.url, 40);
    option = instruments.find((each) => each.instrument_type === 'CE')!;
  });
  afterAll(async () => {
    await Promise.all([simulator.stop(), redis.stop('SIGKILL'), aws.stop()]);
  });
  afterEach(async () => {
    await scene.stop();
    await hand.close();
    await queue.stop();
  });

  async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    scenes += 1;
    const name = `order-frames-${scenes}`;
    queue = await startUpdatesQueue(aws.endpointUrl, name);
    hand = await OrderHand.open(simulator.url);
    scene = await Scene.start({
      simulatorUrl: simulator.url,
      prefix: `faults:${name}`,
      instruments,
      streamerRedisUrl: redis.url,
      readerRedisUrl: redis.url,
      orderUpdates: queue.queue,
      env: {
        ...TWO_CONNECTIONS,
        ORDER_QUEUE_TIMEOUT_MS: '700',
        ORDER_RETRY_MAX_MS: '500',
        ...env,
      },
    });
  }

  /** Orders that rest, are changed twice and cancelled, and some that fill. Waits until their last frames were sent. */
  async function trade(orders: number): Promise<void> {
    const placed: string[] = [];
    for (let index = 0; index < orders; index += 1) {
      const orderId = await (index % 3 === 0 ? hand.fill(option) : hand.rest(option));
      placed.push(orderId);
      if (index % 3 === 0) continue;
      await until(() => hand.sent.some(isAt(orderId, 'OPEN')), WAIT_MS, `${orderId} to rest`);
      await hand.modify(orderId, { price: option.tick_size * 2 });
      await until(() => hand.sent.some(isAt(orderId, 'UPDATE')), WAIT_MS, `${orderId} to be changed`);
      await hand.cancel(orderId);
    }
    const isOver = (orderId: string) =>
      hand.sent.some(isAt(orderId, 'COMPLETE')) || hand.sent.some(isAt(orderId, 'CANCELLED'));
    await until(() => placed.every(isOver), WAIT_MS, 'the orders to end');
  }

  const isAt = (orderId: string, status: string) => (sent: SentOrder) =>
    sent.order_id === orderId && sent.status === status;

  const orders = () => scene.rig.streamer.orders;
  const counts = () => orders().counts.of(RIG_ACCOUNT);
  const dropped = () => [...counts().dropped.values()].reduce((sum, times) => sum + times, 0);

  /** Every frame that the exchange sent has come to the streamer and left it, one way or the other. */
  async function settled(): Promise<void> {
    const frames = () => counts().framesSent + dropped();
    await until(() => frames() === hand.sent.length, WAIT_MS, 'every frame to be sent or dropped');
  }

  /** What the queue holds: frames by order, and the reasons of the syncs. Nothing stands there twice. */
  async function queued() {
    const received = await queue.receive();
    expect(new Set(received.map(({ deduplication }) => deduplication)).size).toBe(received.length);
    const updates = received.map(({ update }) => update);
    return {
      frames: updates.filter(isFrame).map(({ order }) => order as SentOrder),
      syncs: updates.flatMap((update) => (update.kind === 'sync' ? [update] : [])),
    };
  }

  it.each(['refuse', 'stall'] as const)(
    'away (%s) while orders are placed, changed, filled and cancelled: every frame once, each order in order, no tick late',
    async (kind) => {
      await start();
      const { difference } = await scene.during(async () => {
        const outage = new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
        await queue.proxy.setMode({ kind });
        if (kind === 'refuse') queue.proxy.cut();
        await trade(ORDERS);
        await outage;
        expect(orders().failuresTotal).toBeGreaterThan(0);
        expect(orders().waitingFrames).toBeGreaterThan(ORDERS);
        await queue.proxy.setMode({ kind: 'pass' });
        await settled();
      });
      expect(difference).toMatchObject(NOTHING);
      const { frames, syncs } = await queued();
      expect(byOrder(frames)).toEqual(byOrder(hand.sent));
      expect(syncs.map(({ reason }) => reason)).toEqual(['connected']);
      await until(
        () => counts().copies === hand.sent.length,
        WAIT_MS,
        'a copy of each by the other connection',
      );
      expect(dropped()).toBe(0);
    },
  );

  it('away with a small outbox: as many frames as it holds, the number of the others, and one sync for them', async () => {
    await start({ ORDER_OUTBOX_MAX: '5' });
    await until(() => counts().syncsSent === 1, WAIT_MS, 'the first sync');
    await queue.proxy.setMode({ kind: 'refuse' });
    queue.proxy.cut();
    await trade(ORDERS);
    const isIn = () => orders().waitingFrames + dropped() === hand.sent.length;
    await until(isIn, WAIT_MS, 'every frame to come');
    await queue.proxy.setMode({ kind: 'pass' });
    await settled();
    const { frames, syncs } = await queued();
    expect(frames).toHaveLength(5);
    expect(dropped()).toBe(hand.sent.length - 5);
    const isLeft = (sent: SentOrder) => frames.some((frame) => isDeepStrictEqual(frame, sent));
    expect(byOrder(frames)).toEqual(byOrder(hand.sent.filter(isLeft)));
    expect(syncs.map(({ reason }) => reason)).toEqual(['connected', 'dropped']);
    const metrics = await scene.rig.streamer.metrics.registry.metrics();
    expect(metrics).toContain(
      `order_frames_dropped_total{account_id="${RIG_ACCOUNT}",reason="full"} ${dropped()}`,
    );
  });

  it('with the feed lost meanwhile: one sync once it is back, newer than all that was missed, and frames as before', async () => {
    const feed = await startFaultProxy({ targetPort: simulator.port });
    await start({ BROKER_WS_URL: `ws://127.0.0.1:${feed.port}` });
    await trade(3);
    await settled();
    const before = hand.sent.length;
    await feed.setMode({ kind: 'refuse' });
    feed.cut();
    await trade(3);
    const missed = hand.sent.length - before;
    const missedMs = await marketMs();
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS / 3));
    await feed.setMode({ kind: 'pass' });
    const syncsSince = async () =>
      (await queued()).syncs.filter(({ received_at }) => Date.parse(received_at) > missedMs);
    await until(async () => (await syncsSince()).length > 0, WAIT_MS, 'a sync');
    await trade(3);
    await until(() => counts().framesSent === hand.sent.length - missed, WAIT_MS, 'the later frames');
    const { frames, syncs } = await queued();
    const told = [...hand.sent.slice(0, before), ...hand.sent.slice(before + missed)];
    expect(byOrder(frames)).toEqual(byOrder(told));
    expect(missed).toBeGreaterThan(0);
    expect(new Set(syncs.map(({ reason }) => reason))).toEqual(new Set(['connected']));
    // The link whose end is seen first is lost beside one that still counts as open: that asks, too.
    expect(syncs.length).toBeLessThanOrEqual(3);
    expect(await syncsSince()).toHaveLength(1);
    await feed.close();
  });

  it('at the stop: what waits is sent when the queue is back in time, and counted in the log when it is not', async () => {
    await start();
    await until(() => counts().syncsSent === 1, WAIT_MS, 'the first sync');
    await queue.proxy.setMode({ kind: 'refuse' });
    queue.proxy.cut();
    await trade(3);
    await until(() => orders().waitingFrames === hand.sent.length, WAIT_MS, 'every frame to wait');
    const stopping = scene.rig.stop();
    await queue.proxy.setMode({ kind: 'pass' });
    await stopping;
    expect(dropped()).toBe(0);
    expect(byOrder((await queued()).frames)).toEqual(byOrder(hand.sent));
  });

  it('at the stop with the queue away: gives up in time and says how many frames were lost', async () => {
    await start({ SHUTDOWN_TIMEOUT_MS: '1000' });
    await until(() => counts().syncsSent === 1, WAIT_MS, 'the first sync');
    await queue.proxy.setMode({ kind: 'stall' });
    await trade(3);
    await until(() => orders().waitingFrames === hand.sent.length, WAIT_MS, 'every frame to wait');
    await scene.rig.stop();
    expect(Object.fromEntries(counts().dropped)).toEqual({ stopped: hand.sent.length });
    expect(scene.rig.logLines.join('\n')).toContain(
      `"frames":${hand.sent.length},"accounts":["${RIG_ACCOUNT}"]`,
    );
  });

  async function marketMs(): Promise<number> {
    const response = await fetch(`${simulator.url}/_sim/clock`);
    return ((await response.json()) as { nowMs: number }).nowMs;
  }
});
