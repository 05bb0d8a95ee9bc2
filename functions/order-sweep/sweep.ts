import type { Clock } from '#shared/clock.ts';
import type { Logger } from '#shared/http/logger.ts';
import type { TaskQueue } from '#shared/orders/queue.ts';
import type { TaskRepository } from '#shared/orders/repository.ts';
import type { StepSettings } from '#shared/orders/steps.ts';
import { isStray } from '#shared/orders/stray.ts';
import { taskIdFloor } from '#shared/orders/tags.ts';

export interface SweepParts {
  readonly tasks: Pick<TaskRepository, 'listOpen'>;
  readonly queue: Pick<TaskQueue, 'send'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly settings: Pick<StepSettings, 'replyTimeoutMs'>;
  /** How long a task may be overdue before its message counts as lost. */
  readonly graceMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Sends the messages of stray tasks again and says how many. A second message of a task does no harm: the worker
 * decides by the task alone, and SQS drops what was sent for the same version within 5 minutes.
 */
export async function sweep(parts: SweepParts): Promise<number> {
  const { tasks, queue, clock, settings, graceMs, log } = parts;
  const wallMs = clock.wallMs();
  const open = await tasks.listOpen(taskIdFloor(wallMs - graceMs));
  const strays = open.filter((task) => isStray(task, wallMs, graceMs, settings));
  for (const task of strays) {
    log.warn('a task waited for a message in vain', { task_id: task.task_id, status: task.status });
    await queue.send(task, `${task.task_id}.${task.version}`);
  }
  log.info('swept', { open: open.length, strays: strays.length });
  return strays.length;
}
