export const TASK_STATES = [
  'PENDING',
  'RUNNING',
  'VERIFYING',
  'RETRYING',
  'COMPLETED',
  'PARTIAL',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'DEAD_LETTER',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/**
 * What can happen to a task. Events that end it come in two kinds, because a task whose earlier slices the broker
 * took must not end as if nothing were live: `rest_*` are for those.
 */
export const TASK_EVENTS = [
  /** A worker took an attempt. */
  'claimed',
  /** The broker took a slice and others follow. */
  'slice_taken',
  /** The broker took the last slice (or it was found in the order book). */
  'taken',
  'refused',
  'rest_refused',
  /** Certain that the attempt placed nothing. */
  'not_sent',
  /** The attempt's outcome is not known, or its worker vanished. */
  'unknown',
  /** Not in the order book after the whole window: to be placed again. */
  'not_seen_replace',
  /** The same, where the caller wants no second attempt. */
  'not_seen_stop',
  'rest_not_seen_stop',
  'cancelled',
  'rest_cancelled',
  /** `not_after` or the trading day passed, with nothing of unknown outcome. */
  'expired',
  'rest_expired',
  /** What happened cannot be found out, or is not what may happen: a person must look. */
  'gave_up',
] as const;
export type TaskEvent = (typeof TASK_EVENTS)[number];

type Row = Readonly<Partial<Record<TaskEvent, TaskState>>>;

/** A task that waits to be sent, for the first time or again. */
const WAITING: Row = {
  claimed: 'RUNNING',
  cancelled: 'CANCELLED',
  rest_cancelled: 'PARTIAL',
  expired: 'EXPIRED',
  rest_expired: 'PARTIAL',
};
const FINAL: Row = {};

/** The whole life of a task: a pair that is not listed cannot happen. */
export const LIFE_CYCLE: Readonly<Record<TaskState, Row>> = {
  PENDING: WAITING,
  RUNNING: {
    slice_taken: 'PENDING',
    taken: 'COMPLETED',
    refused: 'FAILED',
    rest_refused: 'PARTIAL',
    not_sent: 'RETRYING',
    unknown: 'VERIFYING',
  },
  VERIFYING: {
    slice_taken: 'PENDING',
    taken: 'COMPLETED',
    not_seen_replace: 'RETRYING',
    not_seen_stop: 'FAILED',
    rest_not_seen_stop: 'PARTIAL',
    expired: 'EXPIRED',
    rest_expired: 'PARTIAL',
    gave_up: 'DEAD_LETTER',
  },
  RETRYING: WAITING,
  COMPLETED: FINAL,
  PARTIAL: FINAL,
  FAILED: FINAL,
  CANCELLED: FINAL,
  EXPIRED: FINAL,
  DEAD_LETTER: FINAL,
};

export class ImpossibleTransitionError extends Error {
  override readonly name = 'ImpossibleTransitionError';
  readonly state: TaskState;
  readonly event: TaskEvent;

  constructor(state: TaskState, event: TaskEvent) {
    super(`a task that is ${state} cannot be ${event}`);
    this.state = state;
    this.event = event;
  }
}

/** @throws ImpossibleTransitionError */
export function nextState(state: TaskState, event: TaskEvent): TaskState {
  const next = LIFE_CYCLE[state][event];
  if (next === undefined) throw new ImpossibleTransitionError(state, event);
  return next;
}

export function isFinal(state: TaskState): boolean {
  return Object.keys(LIFE_CYCLE[state]).length === 0;
}
