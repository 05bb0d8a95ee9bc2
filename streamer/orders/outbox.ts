import { randomUUID } from 'node:crypto';
import type { Clock } from '#shared/clock.ts';
import {
  type OrderOfFrame,
  type OrderUpdateMessage,
  orderUpdateMessage,
  type SyncReason,
} from '#shared/orders/updates.ts';
import type { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';
import type { StreamerLogger } from '../log.ts';
import type { SampledLog } from '../sampled-log.ts';
import { type DropReason, OrderCounts } from './counts.ts';
import { type CourierSettings, OrderCourier } from './courier.ts';
import { type WaitingLimits, WaitingUpdates } from './waiting.ts';

export type OutboxSettings = WaitingLimits & CourierSettings;

export interface OutboxParts {
  /** undefined: there is no merger, and every frame is dropped and counted. */
  readonly queue: Pick<OrderUpdatesQueue, 'send'> | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly logger: Pick<StreamerLogger, 'error'>;
  readonly sampled: Pick<SampledLog, 'warn'>;
  readonly random: () => number;
}

/**
 * Order updates of all accounts on their way to the merger's queue. While that is away they wait, bounded; a frame that
 * cannot wait is dropped and counted, and a sync request of its account takes its place. Nobody ever waits for it.
 */
export class OrderOutbox {
  readonly #parts: OutboxParts;
  readonly #waiting: WaitingUpdates;
  readonly #courier: OrderCourier | undefined;
  /** The last ones that were named, for what is said later in their accounts' names. */
  readonly #leases = new Map<string, number>();
  readonly counts = new OrderCounts();
  #isClosed = false;
  failuresTotal = 0;

  constructor(settings: OutboxSettings, parts: OutboxParts) {
    this.#parts = parts;
    this.#waiting = new WaitingUpdates(settings);
    const { queue, random } = parts;
    if (queue === undefined) return;
    this.#courier = new OrderCourier(
      settings,
      { queue, waiting: this.#waiting, random },
      {
        onSent: (message) => this.#countSent(message),
        onRefused: (message) => this.#lose(message, 'refused'),
        onFailure: (detail) => this.#failed(detail),
      },
    );
  }

  get waitingFrames(): number {
    return this.#waiting.frames;
  }

  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** @param content the same for every copy of the frame and for nothing else */
  frame(accountId: string, lease: number, order: OrderOfFrame, content: string): void {
    this.#leases.set(accountId, lease);
    const received_at = this.#now();
    const message = orderUpdateMessage(
      { v: 1, kind: 'frame', account_id: accountId, lease, received_at, order },
      content,
    );
    if (this.#courier === undefined) this.#lose(message, 'no_queue');
    else if (this.#isClosed) this.#lose(message, 'stopped');
    else {
      for (const dropped of this.#waiting.addFrame(message)) this.#lose(dropped, 'full');
      this.#courier.wake();
    }
  }

  /** Asks for the account's order book, once however often it is called before the queue takes it. */
  sync(accountId: string, lease: number, reason: SyncReason): void {
    this.#leases.set(accountId, lease);
    if (this.#courier === undefined || this.#isClosed) return;
    const received_at = this.#now();
    this.#waiting.setSync(
      orderUpdateMessage(
        { v: 1, kind: 'sync', account_id: accountId, lease, received_at, reason },
        randomUUID(),
      ),
    );
    this.#courier.wake();
  }

  /** Sends what waits for as long as it may; what is left is lost, counted and logged. Idempotent. */
  async close(timeoutMs: number): Promise<void> {
    await this.#courier?.close(timeoutMs);
    this.#isClosed = true;
    const left = this.#waiting.clear();
    if (left.frames.length + left.syncs.length === 0) return;
    for (const message of left.frames) this.#lose(message, 'stopped');
    const accounts = [...new Set([...left.frames, ...left.syncs].map(({ account_id }) => account_id))];
    this.#parts.logger.error(
      { frames: left.frames.length, accounts },
      'order updates were lost at the stop; the next holder of the account asks for its order book',
    );
  }

  #lose(message: OrderUpdateMessage, reason: DropReason): void {
    const { account_id } = message;
    const { dropped } = this.counts.of(account_id);
    if (message.kind === 'frame') dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
    this.#parts.sampled.warn(
      `order frame ${reason} ${account_id}`,
      { account_id, reason },
      'an order frame was dropped',
    );
    this.sync(account_id, this.#leases.get(account_id) ?? 0, 'dropped');
  }

  #failed(detail: string): void {
    this.failuresTotal += 1;
    const waiting = this.#waiting.frames;
    this.#parts.sampled.warn('order queue', { detail, waiting }, 'order updates wait for their queue');
  }

  #countSent(message: OrderUpdateMessage): void {
    const counts = this.counts.of(message.account_id);
    if (message.kind === 'sync') counts.syncsSent += 1;
    else counts.framesSent += 1;
  }

  #now(): string {
    return new Date(this.#parts.clock.nowMs()).toISOString();
  }
}
