import { setTimeout as pause } from 'node:timers/promises';
import { BrokerError } from '#shared/broker/errors.ts';
import { placementsTagged } from '#shared/broker/types.ts';
import type { Clock } from '#shared/clock.ts';
import type { Logger } from '#shared/http/logger.ts';
import { istDay } from '#shared/market/calendar.ts';
import { changed, claimed, lookedAt } from '#shared/orders/change.ts';
import { afterAttempt } from '#shared/orders/outcome.ts';
import { type TaskRepository, VersionConflictError } from '#shared/orders/repository.ts';
import { afterLook, type Moment, nextStep, type Sight, type StepSettings } from '#shared/orders/steps.ts';
import { currentSlice, type Slice, type Task } from '#shared/orders/types.ts';
import type { BrokerSource, Sender } from './sender.ts';

export interface WorkerParts {
  readonly tasks: Pick<TaskRepository, 'get' | 'save'>;
  readonly brokers: BrokerSource;
  readonly sender: Pick<Sender, 'send'>;
  readonly clock: Clock;
  readonly settings: StepSettings;
  readonly random: () => number;
  readonly log: WorkerLog;
}

export type WorkerLog = Pick<Logger, 'info' | 'warn' | 'error'>;

/** How the work on a message ended: the task needs nothing more of it, or needs it again later. */
export type WorkResult = { readonly type: 'done' } | { readonly type: 'again'; readonly waitMs: number };

/** Shorter waits are sat out: a message's invisibility counts in whole seconds. */
const SIT_OUT_MS = 1_000;

/** Carries one task as far as it goes now. All that is decided is decided in `#shared/orders`. */
export class OrderWorker {
  readonly #parts: WorkerParts;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** @param hasTime whether one more turn fits into the function's time; without it the message comes again */
  async work(taskId: string, hasTime: () => boolean): Promise<WorkResult> {
    while (hasTime()) {
      const task = await this.#parts.tasks.get(taskId);
      if (task === undefined) {
        this.#parts.log.error('a message names a task that does not exist', { task_id: taskId });
        return { type: 'done' };
      }
      const result = await this.#turn(task).catch((error: unknown) => {
        if (error instanceof VersionConflictError) return undefined;
        throw error;
      });
      if (result !== undefined) return result;
    }
    return { type: 'again', waitMs: 0 };
  }

  /** One step of the task; undefined to go on with the next. */
  async #turn(task: Task): Promise<WorkResult | undefined> {
    const now = this.#now();
    const step = nextStep(task, now, this.#parts.settings);
    switch (step.type) {
      case 'done':
        return { type: 'done' };
      case 'wait':
        return this.#wait(step.untilMs - now.wallMs);
      case 'apply':
        await this.#save(changed(task, step.change, now.wallMs));
        return undefined;
      case 'claim':
        await this.#attempt(await this.#save(claimed(task, now.wallMs, this.#parts.settings.attemptMs)));
        return undefined;
      case 'look':
        await this.#look(task);
        return undefined;
    }
  }

  async #attempt(task: Task): Promise<void> {
    const { sender, settings, random, clock } = this.#parts;
    const outcome = await sender.send(task, requireSlice(task));
    const wallMs = clock.wallMs();
    await this.#save(changed(task, afterAttempt(task, outcome, wallMs, settings, random), wallMs));
  }

  async #look(task: Task): Promise<void> {
    const askedMs = this.#parts.clock.wallMs();
    const sight = await this.#sight(task);
    const now = this.#now();
    const step = afterLook(task, sight, askedMs, now, this.#parts.settings);
    await this.#save(
      step.type === 'wait'
        ? lookedAt(task, step.untilMs, now.wallMs)
        : changed(task, step.change, now.wallMs),
    );
  }

  async #sight(task: Task): Promise<Sight> {
    const { tag } = requireSlice(task);
    try {
      const broker = await this.#parts.brokers.forAccount(task.account_id);
      const rows = placementsTagged(await broker.orders(), tag);
      return { type: 'read', orderIds: rows.map(({ order_id }) => order_id) };
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#parts.log.warn('the order book could not be read', {
        task_id: task.task_id,
        error: error.message,
      });
      return { type: 'unreadable' };
    }
  }

  async #wait(waitMs: number): Promise<WorkResult | undefined> {
    if (waitMs > SIT_OUT_MS) return { type: 'again', waitMs };
    await pause(waitMs);
    return undefined;
  }

  async #save(next: Task): Promise<Task> {
    const saved = await this.#parts.tasks.save(next);
    const { task_id, account_id, status, version, attempt, reason } = saved;
    const details = { task_id, account_id, status, version, attempt: attempt?.number, reason };
    if (status === 'DEAD_LETTER') this.#parts.log.error('the outcome of an order needs a person', details);
    else this.#parts.log.info('task', details);
    return saved;
  }

  #now(): Moment {
    const { clock } = this.#parts;
    return { wallMs: clock.wallMs(), day: istDay(clock.nowMs()) };
  }
}

function requireSlice(task: Task): Slice {
  const slice = currentSlice(task);
  if (slice === undefined) throw new Error(`task ${task.task_id} is ${task.status} and has no slice left`);
  return slice;
}
