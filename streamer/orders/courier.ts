import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderUpdateMessage } from '#shared/orders/updates.ts';
import type { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';
import { backoffMs } from '../feed/backoff.ts';
import type { WaitingMessage, WaitingUpdates } from './waiting.ts';

export interface CourierSettings {
  /** A request without an answer for so long has failed. */
  readonly timeoutMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface CourierParts {
  readonly queue: Pick<OrderUpdatesQueue, 'send'>;
  readonly waiting: WaitingUpdates;
  readonly random: () => number;
}

export interface CourierEvents {
  onSent(message: OrderUpdateMessage): void;
  /** The queue takes others and never this one. */
  onRefused(message: OrderUpdateMessage): void;
  /** A request failed as a whole, or part of it. */
  onFailure(detail: string): void;
}

/** A message that the queue refuses by itself is given up after so many times. */
const MAX_REFUSALS = 5;
/** While the process ends there is no time for long pauses. */
const CLOSING_BACKOFF_MS = 100;

/** Carries what waits to the queue, one request at a time, for as long as it takes. */
export class OrderCourier {
  readonly #settings: CourierSettings;
  readonly #parts: CourierParts;
  readonly #events: CourierEvents;
  readonly #ended = new AbortController();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #attempt = 0;

  constructor(settings: CourierSettings, parts: CourierParts, events: CourierEvents) {
    this.#settings = settings;
    this.#parts = parts;
    this.#events = events;
  }

  /** Something waits. */
  wake(): void {
    if (this.#ended.signal.aborted) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Sends what waits for as long as it may; nothing is sent afterwards. Idempotent. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing.abort();
    const deadline = setTimeout(() => this.#ended.abort(), timeoutMs);
    await this.#running;
    clearTimeout(deadline);
    this.#ended.abort();
  }

  async #run(): Promise<void> {
    // What arrives within one turn of the event loop leaves together.
    await sleep(0);
    while (!this.#parts.waiting.isEmpty && !this.#ended.signal.aborted) {
      const isWell = await this.#sendNext();
      this.#attempt = isWell ? 0 : this.#attempt + 1;
      if (!isWell) await this.#backOff();
    }
  }

  /** Whether the queue took all that it was given. */
  async #sendNext(): Promise<boolean> {
    const batch = this.#parts.waiting.take();
    const taken = await this.#send(batch.map(({ message }) => message));
    const sent = batch.filter(({ message }) => taken?.has(message));
    const refused = taken === undefined ? [] : batch.filter(({ message }) => !taken.has(message));
    if (refused.length > 0) this.#events.onFailure(`${refused.length} of ${batch.length} refused`);
    const givenUp = refused.filter(isGivenUp);
    this.#parts.waiting.settle([...sent, ...givenUp]);
    for (const { message } of sent) this.#events.onSent(message);
    for (const { message } of givenUp) this.#events.onRefused(message);
    return sent.length === batch.length;
  }

  async #send(messages: readonly OrderUpdateMessage[]): Promise<ReadonlySet<OrderUpdateMessage> | undefined> {
    const timeout = AbortSignal.timeout(this.#settings.timeoutMs);
    try {
      return await this.#parts.queue.send(messages, AbortSignal.any([timeout, this.#ended.signal]));
    } catch (error) {
      this.#events.onFailure(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      return undefined;
    }
  }

  async #backOff(): Promise<void> {
    const { backoffBaseMs, backoffMaxMs } = this.#settings;
    const isClosing = this.#closing.signal.aborted;
    const waitMs = isClosing
      ? CLOSING_BACKOFF_MS
      : backoffMs(this.#attempt, backoffBaseMs, backoffMaxMs, this.#parts.random);
    const signal = isClosing ? this.#ended.signal : this.#closing.signal;
    // Aborted, it has simply waited long enough.
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
}

function isGivenUp(waiting: WaitingMessage): boolean {
  waiting.refusals += 1;
  return waiting.refusals >= MAX_REFUSALS;
}
