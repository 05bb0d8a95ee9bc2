import { randomInt } from 'node:crypto';

const TIME_DIGITS = 9;
const RANDOM_DIGITS = 9;
const SLICE_DIGITS = 2;

/** How many slices two base-36 digits can number. */
export const MAX_SLICES = 36 ** SLICE_DIGITS;

/** 9 digits of time, then 9 of chance (46 bits a millisecond), base 36: sorts by time. */
export function newTaskId(wallMs: number): string {
  const chance = Array.from({ length: RANDOM_DIGITS }, () => randomInt(36).toString(36)).join('');
  return taskIdFloor(wallMs) + chance;
}

/** Sorts before every task id of this ms or later, and behind every earlier one. */
export function taskIdFloor(wallMs: number): string {
  return Math.floor(wallMs).toString(36).padStart(TIME_DIGITS, '0');
}

export const TASK_ID = /^[0-9a-z]{18}$/;

/**
 * The broker's `tag` of one slice: at most 20 alphanumeric characters (kite.trade/docs/connect/v3/orders), the only mark by which
 * an order of unknown outcome is found again. All attempts of a slice carry the same one, so that any of them is found.
 */
export function sliceTag(taskId: string, slice: number): string {
  if (!TASK_ID.test(taskId)) throw new RangeError(`${taskId} is no task id`);
  if (!Number.isInteger(slice) || slice < 0 || slice >= MAX_SLICES)
    throw new RangeError(`slice ${slice} is not within 0..${MAX_SLICES - 1}`);
  return taskId + slice.toString(36).padStart(SLICE_DIGITS, '0');
}
