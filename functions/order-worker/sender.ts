import { setTimeout as pause } from 'node:timers/promises';
import type { BrokerClient } from '#shared/broker/client.ts';
import { BrokerError } from '#shared/broker/errors.ts';
import { TOO_LATE } from '#shared/broker/transport.ts';
import type { Clock } from '#shared/clock.ts';
import { istDay } from '#shared/market/calendar.ts';
import { brokerOrder } from '#shared/orders/broker-order.ts';
import { failedOutcome, type Outcome, withoutSlot } from '#shared/orders/outcome.ts';
import type { Slot, SlotBook } from '#shared/orders/slot-book.ts';
import { isOver } from '#shared/orders/steps.ts';
import type { Slice, Task } from '#shared/orders/types.ts';

export interface BrokerSource {
  forAccount(accountId: string): Promise<Pick<BrokerClient, 'placeOrder' | 'orders'>>;
}

export interface SenderParts {
  readonly brokers: BrokerSource;
  readonly slots: Pick<SlotBook, 'reserve'>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A slot this near is waited for in place; for a later one the task goes back to its queue. */
const MAX_SLOT_WAIT_MS = 2_000;

/** Sends one slice of a claimed task, in its slot, and only while all that allowed it still holds. */
export class Sender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** @throws what is no error of the broker's */
  async send(task: Task, slice: Slice): Promise<Outcome> {
    const { brokers, clock, random } = this.#parts;
    try {
      const broker = await brokers.forAccount(task.account_id);
      const slot = await this.#slot(task);
      if (clock.wallMs() >= deadlineOf(task)) throw new BrokerError('not_sent', TOO_LATE);
      if (slot.type === 'none') return withoutSlot(slot.freeAtMs, clock.wallMs(), random);
      await pause(Math.max(0, Math.ceil(slot.atMs - clock.wallMs())));
      const orderId = await broker.placeOrder(brokerOrder(task.request, slice), () =>
        this.#mayStillSend(task, slot),
      );
      return { type: 'placed', orderId };
    } catch (error) {
      return failedOutcome(error);
    }
  }

  #slot(task: Task): Promise<Slot> {
    const { slots, clock } = this.#parts;
    const wallMs = clock.wallMs();
    const latestMs = Math.min(wallMs + MAX_SLOT_WAIT_MS, deadlineOf(task));
    return slots.reserve({ accountId: task.account_id, wallMs, latestMs, day: istDay(clock.nowMs()) });
  }

  /** Asked right before bytes go out: the process may have been frozen since it claimed the task or took the slot. */
  #mayStillSend(task: Task, slot: Extract<Slot, { type: 'slot' }>): boolean {
    const { clock } = this.#parts;
    const now = { wallMs: clock.wallMs(), day: istDay(clock.nowMs()) };
    const inSlot = now.wallMs >= slot.atMs && now.wallMs <= slot.untilMs;
    return inSlot && now.wallMs < deadlineOf(task) && !isOver(task, now);
  }
}

const deadlineOf = (task: Task) => task.attempt?.deadline_ms ?? 0;
