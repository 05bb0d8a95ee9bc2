import type { TaskState } from './life-cycle.ts';
import type { OrderRequest } from './request.ts';

/** One order at the broker: the whole of a task, or a part of it below the freeze limit. */
export interface Slice {
  readonly tag: string;
  readonly quantity: number;
  /** Once the broker took it. */
  readonly order_id?: string | undefined;
}

/** Why a task is where it is, in words for its owner. */
export interface Reason {
  /** Stable: `refused`, `not_seen`, `no_session`, `rate_limited`, `not_sent`, ... */
  readonly code: string;
  readonly message: string;
  /** The broker's `error_type`, where it named one. */
  readonly error_type?: string | undefined;
}

/** A worker's claim: it may write to the broker only before the deadline. */
export interface Attempt {
  /** Counts the task's attempts from 1. */
  readonly number: number;
  /** Wall time, epoch ms. */
  readonly deadline_ms: number;
}

/** The search for an order of unknown outcome. Wall times, epoch ms. */
export interface Search {
  /** Not in a book read after this: it was never placed. */
  readonly until_ms: number;
  readonly next_look_at_ms: number;
}

/** One order request on its way to the broker. All times are wall time. */
export interface Task {
  readonly task_id: string;
  readonly account_id: string;
  /** Who asked: the caller's identity, as authentication names it. */
  readonly owner: string;
  readonly status: TaskState;
  /** Grows by one with every change; each change is conditional on it. */
  readonly version: number;
  readonly request: OrderRequest;
  readonly slices: readonly Slice[];
  /** IST day of acceptance: the order book that it is looked for in. */
  readonly trading_day: string;
  readonly not_after_ms: number;
  readonly attempt?: Attempt | undefined;
  /** Attempts in a row that certainly placed nothing. */
  readonly failures: number;
  /** Not before this: the end of a back-off. */
  readonly not_before_ms?: number | undefined;
  readonly search?: Search | undefined;
  readonly reason?: Reason | undefined;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

/** The slice that is next, or undefined when the broker took them all. */
export function currentSlice(task: Pick<Task, 'slices'>): Slice | undefined {
  return task.slices.find((slice) => slice.order_id === undefined);
}

export function anyTaken(task: Pick<Task, 'slices'>): boolean {
  return task.slices.some((slice) => slice.order_id !== undefined);
}
