import type { Change } from './change.ts';
import { isFinal, type TaskEvent } from './life-cycle.ts';
import { anyTaken, type Task } from './types.ts';

/** All in ms of wall time. */
export interface StepSettings {
  /** A worker writes to the broker within this of its claim, or not at all. */
  readonly attemptMs: number;
  /** How long an answer of the broker is waited for. */
  readonly replyTimeoutMs: number;
  /** How long after its sending an order may still appear in the order book. */
  readonly lateOrderWindowMs: number;
  /** Between two looks at the order book. */
  readonly lookEveryMs: number;
  /** How long past the window a book that cannot be read is asked for again, before a person must look. */
  readonly giveUpMs: number;
}

/** `wallMs` for deadlines, `day` (IST, market time) for the order book. */
export interface Moment {
  readonly wallMs: number;
  readonly day: string;
}

/** What a worker that holds a task's message does next. */
export type Step =
  | { readonly type: 'done' }
  | { readonly type: 'wait'; readonly untilMs: number }
  | { readonly type: 'claim' }
  | { readonly type: 'look' }
  | { readonly type: 'apply'; readonly change: Change };

/** Decides from the task alone: any worker, at any time, after any crash, decides the same. */
export function nextStep(task: Task, now: Moment, settings: StepSettings): Step {
  if (isFinal(task.status)) return { type: 'done' };
  if (task.status === 'RUNNING') return whileRunning(task, now, settings);
  if (task.status === 'VERIFYING') return whileVerifying(task, now);
  if (isOver(task, now)) return apply(expired(task, now));
  const notBeforeMs = Math.min(task.not_before_ms ?? 0, task.not_after_ms);
  return notBeforeMs > now.wallMs ? { type: 'wait', untilMs: notBeforeMs } : { type: 'claim' };
}

/**
 * Another worker is at it. It may write until its deadline and wait for the answer for the broker's time-out: only
 * then is it certain to be gone, and what it did unknown.
 */
function whileRunning(task: Task, now: Moment, settings: StepSettings): Step {
  const goneMs = (task.attempt?.deadline_ms ?? 0) + settings.replyTimeoutMs;
  if (now.wallMs < goneMs) return { type: 'wait', untilMs: goneMs };
  const message = 'the worker that took the order did not say what became of it';
  return apply({
    event: 'unknown',
    reason: { code: 'worker_lost', message },
    searchUntilMs: goneMs + settings.lateOrderWindowMs,
  });
}

/** The order book is the broker's day's: after it nothing can be found any more. */
function whileVerifying(task: Task, now: Moment): Step {
  if (now.day !== task.trading_day) return apply(gaveUp('the day of its order book is over'));
  const lookMs = task.search?.next_look_at_ms ?? 0;
  return lookMs > now.wallMs ? { type: 'wait', untilMs: lookMs } : { type: 'look' };
}

/** What was seen in the order book. */
export type Sight =
  | { readonly type: 'unreadable' }
  | { readonly type: 'read'; readonly orderIds: readonly string[] };

/**
 * What a look at the order book means: a change, or a wait for the next look. `askedMs` is the wall time just before
 * the book was asked for: a book asked for within the window says nothing about an order that may still be late.
 */
export function afterLook(
  task: Task,
  sight: Sight,
  askedMs: number,
  now: Moment,
  settings: StepSettings,
): Extract<Step, { type: 'wait' | 'apply' }> {
  const untilMs = task.search?.until_ms ?? 0;
  const again = { type: 'wait', untilMs: now.wallMs + settings.lookEveryMs } as const;
  if (now.day !== task.trading_day) return apply(gaveUp('the day of its order book is over'));
  if (sight.type === 'unreadable')
    return now.wallMs > untilMs + settings.giveUpMs
      ? apply(gaveUp('the order book could not be read for too long'))
      : again;
  const [orderId, ...others] = sight.orderIds;
  if (others.length > 0) return apply(gaveUp(`found more than once: ${sight.orderIds.join(', ')}`));
  if (orderId !== undefined) return apply(taken(task, orderId));
  return askedMs < untilMs ? again : apply(notSeen(task, now));
}

function notSeen(task: Task, now: Moment): Change {
  const reason = {
    code: 'not_seen',
    message: 'its outcome was unknown, and the order book does not show it',
  };
  if (task.request.on_unknown === 'stop')
    return { event: restOf(task, 'not_seen_stop', 'rest_not_seen_stop'), reason };
  return isOver(task, now) ? expired({ ...task, reason }, now) : { event: 'not_seen_replace', reason };
}

/** The broker took the current slice. */
export function taken(task: Pick<Task, 'slices'>, orderId: string): Change {
  const left = task.slices.filter((slice) => slice.order_id === undefined).length;
  return { event: left > 1 ? 'slice_taken' : 'taken', orderId };
}

export function isOver(task: Pick<Task, 'not_after_ms' | 'trading_day'>, now: Moment): boolean {
  return now.wallMs >= task.not_after_ms || now.day !== task.trading_day;
}

function expired(task: Task, now: Moment): Change {
  const why =
    now.day === task.trading_day ? 'its time was over before it was placed' : 'its trading day is over';
  const last = task.reason === undefined ? '' : `; last: ${task.reason.message}`;
  const reason = { code: 'expired', message: why + last, error_type: task.reason?.error_type };
  return { event: restOf(task, 'expired', 'rest_expired'), reason };
}

function gaveUp(message: string): Change {
  return { event: 'gave_up', reason: { code: 'outcome_unknown', message } };
}

const apply = (change: Change) => ({ type: 'apply', change }) as const;

/** The event for a task of which nothing was taken, or the one for a task of which something was. */
export function restOf(task: Pick<Task, 'slices'>, whole: TaskEvent, rest: TaskEvent): TaskEvent {
  return anyTaken(task) ? rest : whole;
}
