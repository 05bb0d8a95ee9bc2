import { nextState, type TaskEvent } from './life-cycle.ts';
import { currentSlice, type Reason, type Task } from './types.ts';

/** One thing that happened to a task, with what it brought. Wall times, epoch ms. */
export interface Change {
  readonly event: TaskEvent;
  readonly reason?: Reason | undefined;
  /** Of the current slice, with `taken` and `slice_taken`. */
  readonly orderId?: string | undefined;
  /** With `unknown`: when the window for a late order ends. */
  readonly searchUntilMs?: number | undefined;
  /** With `not_sent`: the end of the back-off. */
  readonly notBeforeMs?: number | undefined;
}

/**
 * The task after the change, one version on.
 * @throws ImpossibleTransitionError
 */
export function changed(task: Task, change: Change, wallMs: number): Task {
  const status = nextState(task.status, change.event);
  const before = { ...task, status, version: task.version + 1, updated_at_ms: wallMs };
  switch (change.event) {
    case 'slice_taken':
    case 'taken':
      return { ...before, slices: withOrder(task, change.orderId), ...QUIET, reason: undefined, failures: 0 };
    case 'unknown':
      return {
        ...before,
        reason: change.reason,
        search: { until_ms: change.searchUntilMs ?? wallMs, next_look_at_ms: wallMs },
      };
    case 'not_sent':
      return {
        ...before,
        ...QUIET,
        reason: change.reason,
        failures: task.failures + 1,
        not_before_ms: change.notBeforeMs,
      };
    default:
      return { ...before, ...QUIET, reason: change.reason };
  }
}

/** An attempt that is over leaves its number, so that attempts go on counting. */
const QUIET = { search: undefined, not_before_ms: undefined } as const;

/** The task claimed for one attempt: its worker may write to the broker until the deadline. */
export function claimed(task: Task, wallMs: number, attemptMs: number): Task {
  const attempt = { number: (task.attempt?.number ?? 0) + 1, deadline_ms: wallMs + attemptMs };
  return { ...changed(task, { event: 'claimed', reason: task.reason }, wallMs), attempt };
}

/** The task after a look at the order book that decided nothing. */
export function lookedAt(task: Task, nextLookAtMs: number, wallMs: number): Task {
  if (task.search === undefined) return task;
  const search = { ...task.search, next_look_at_ms: nextLookAtMs };
  return { ...task, search, version: task.version + 1, updated_at_ms: wallMs };
}

function withOrder(task: Task, orderId: string | undefined): Task['slices'] {
  const current = currentSlice(task);
  if (current === undefined || orderId === undefined)
    throw new Error(`task ${task.task_id}: no slice or no order_id to note`);
  return task.slices.map((slice) => (slice === current ? { ...slice, order_id: orderId } : slice));
}
