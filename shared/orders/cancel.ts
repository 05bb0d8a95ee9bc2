import { changed } from './change.ts';
import { isFinal } from './life-cycle.ts';
import { type TaskRepository, VersionConflictError } from './repository.ts';
import { restOf } from './steps.ts';
import type { Task } from './types.ts';

/** Why a task cannot be cancelled any more. */
export class NotCancellableError extends Error {
  override readonly name = 'NotCancellableError';
  /** `in_flight`: it may just reach the broker; `final`: nothing is left to cancel. */
  readonly code: 'in_flight' | 'final';

  constructor(task: Task) {
    const code = isFinal(task.status) ? 'final' : 'in_flight';
    super(
      code === 'final'
        ? `the task is ${task.status}: what the broker took is cancelled at the broker`
        : `the task is ${task.status}: its order may just reach the broker; ask again when that is known`,
    );
    this.code = code;
  }
}

/**
 * The task after its cancellation before it was sent; one that is cancelled already stays as it is.
 * @throws NotCancellableError, also for a task that a worker takes at the same moment
 */
export function cancelledTask(task: Task, wallMs: number): Task {
  if (task.status === 'CANCELLED') return task;
  if (task.status !== 'PENDING' && task.status !== 'RETRYING') throw new NotCancellableError(task);
  const reason = { code: 'cancelled', message: 'cancelled before it was sent' };
  return changed(task, { event: restOf(task, 'cancelled', 'rest_cancelled'), reason }, wallMs);
}

/** A worker changes a task a few times in its life; more races than that are none. */
const RACES = 5;

/**
 * Cancels a task that was not sent yet: no message, one conditional write.
 * @returns undefined when there is no such task
 * @throws NotCancellableError
 */
export async function cancelTask(
  tasks: Pick<TaskRepository, 'get' | 'save'>,
  taskId: string,
  wallMs: () => number,
): Promise<Task | undefined> {
  for (let race = 1; ; race += 1) {
    const task = await tasks.get(taskId);
    if (task === undefined) return undefined;
    const next = cancelledTask(task, wallMs());
    if (next === task) return task;
    try {
      return await tasks.save(next);
    } catch (error) {
      if (!(error instanceof VersionConflictError) || race === RACES) throw error;
    }
  }
}
