import type { Task } from '#shared/orders/types.ts';

/** A task as callers see it. Its `tag` is the broker's; the caller's own stands in `client_tag`. */
export function viewOf(task: Task) {
  const { account_id, tag, not_after, on_unknown, ...order } = task.request;
  const orderIds = task.slices.flatMap(({ order_id }) => order_id ?? []);
  return {
    task_id: task.task_id,
    status: task.status,
    account_id,
    ...order,
    on_unknown,
    client_tag: tag ?? null,
    tag: task.slices[0]?.tag ?? null,
    order_id: orderIds[0] ?? null,
    order_ids: orderIds,
    slices: task.slices,
    attempts: task.attempt?.number ?? 0,
    reason: task.reason ?? null,
    not_after: new Date(task.not_after_ms).toISOString(),
    created_at: new Date(task.created_at_ms).toISOString(),
    updated_at: new Date(task.updated_at_ms).toISOString(),
  };
}
