import { z } from 'zod';
import type { Item } from '#shared/dynamo.ts';
import { gsi1Partitions, keys } from '#shared/table.ts';
import { TASK_STATES } from './life-cycle.ts';
import { orderFieldsSchema } from './request.ts';
import type { Task } from './types.ts';

const taskSchema = z.object({
  task_id: z.string(),
  account_id: z.string(),
  owner: z.string(),
  status: z.enum(TASK_STATES),
  version: z.int(),
  request: orderFieldsSchema,
  slices: z
    .array(z.object({ tag: z.string(), quantity: z.int(), order_id: z.string().optional() }))
    .nonempty(),
  trading_day: z.string(),
  not_after_ms: z.number(),
  attempt: z.object({ number: z.int(), deadline_ms: z.number() }).optional(),
  failures: z.int(),
  not_before_ms: z.number().optional(),
  search: z.object({ until_ms: z.number(), next_look_at_ms: z.number() }).optional(),
  reason: z.object({ code: z.string(), message: z.string(), error_type: z.string().optional() }).optional(),
  created_at_ms: z.number(),
  updated_at_ms: z.number(),
});

/** Keys of a task's item: task ids sort by time, so the account's list does. */
export function taskKeys(task: Pick<Task, 'task_id' | 'account_id'>): Item {
  return {
    ...keys.task(task.task_id),
    gsi1pk: gsi1Partitions.accountTasks(task.account_id),
    gsi1sk: task.task_id,
  };
}

/** @throws when the item is no task: a task half understood must not be acted upon */
export function toTask(item: Item): Task {
  return taskSchema.parse(item);
}
