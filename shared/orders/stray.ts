import { isFinal } from './life-cycle.ts';
import type { StepSettings } from './steps.ts';
import type { Task } from './types.ts';

/** Wall time, epoch ms, at which a worker that holds the task's message would act; undefined for a final task. */
function dueMs(task: Task, settings: Pick<StepSettings, 'replyTimeoutMs'>): number | undefined {
  if (isFinal(task.status)) return undefined;
  if (task.status === 'RUNNING') return (task.attempt?.deadline_ms ?? 0) + settings.replyTimeoutMs;
  if (task.status === 'VERIFYING') return task.search?.next_look_at_ms ?? task.updated_at_ms;
  return Math.max(task.updated_at_ms, Math.min(task.not_before_ms ?? 0, task.not_after_ms));
}

/** Whether the task waits for longer than `graceMs` for a message that should have moved it: the message is lost. */
export function isStray(
  task: Task,
  wallMs: number,
  graceMs: number,
  settings: Pick<StepSettings, 'replyTimeoutMs'>,
): boolean {
  const due = dueMs(task, settings);
  return due !== undefined && wallMs - due > graceMs;
}
