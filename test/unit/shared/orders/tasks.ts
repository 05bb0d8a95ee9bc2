import type { OrderRequest } from '#shared/orders/request.ts';
import { newTaskId, sliceTag } from '#shared/orders/tags.ts';
import type { Task } from '#shared/orders/types.ts';

export const NOW_MS = Date.parse('2026-08-18T10:00:00+05:30');
export const DAY = '2026-08-18';

export const REQUEST: OrderRequest = {
  account_id: 'primary',
  variety: 'regular',
  exchange: 'NFO',
  tradingsymbol: 'NIFTY2681826050CE',
  transaction_type: 'BUY',
  order_type: 'LIMIT',
  quantity: 65,
  product: 'NRML',
  price: 100.05,
  validity: 'DAY',
  on_unknown: 'replace',
};

/** A task just accepted, changed as the test needs it. */
export function taskOf(change: Partial<Task> = {}): Task {
  const task_id = newTaskId(NOW_MS);
  return {
    task_id,
    account_id: 'primary',
    owner: 'desk',
    status: 'PENDING',
    version: 1,
    request: REQUEST,
    slices: [{ tag: sliceTag(task_id, 0), quantity: 65 }],
    trading_day: DAY,
    not_after_ms: NOW_MS + 60_000,
    failures: 0,
    created_at_ms: NOW_MS,
    updated_at_ms: NOW_MS,
    ...change,
  };
}

/** The same cut into slices, of which the broker took the first `taken`. */
export function slicedTask(count: number, taken: number, change: Partial<Task> = {}): Task {
  const task = taskOf();
  const slices = Array.from({ length: count }, (_, index) => ({
    tag: sliceTag(task.task_id, index),
    quantity: 65,
    ...(index < taken && { order_id: `order${index}` }),
  }));
  return { ...task, request: { ...REQUEST, quantity: 65 * count }, slices, ...change };
}
