import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_SLICES, newTaskId, sliceTag, TASK_ID } from '#shared/orders/tags.ts';
import { NOW_MS } from './tasks.ts';

describe('task ids and tags', () => {
  it('are base 36 and at most 20 characters, as the broker takes them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8_640_000_000_000_000 / 100 }),
        fc.integer({ min: 0, max: MAX_SLICES - 1 }),
        (wallMs, slice) => {
          const taskId = newTaskId(wallMs);
          expect(taskId).toMatch(TASK_ID);
          expect(sliceTag(taskId, slice)).toMatch(/^[0-9a-z]{20}$/);
        },
      ),
      { seed: 6 },
    );
  });

  it('differ for every task of one millisecond and every slice of a task', () => {
    const ids = new Set(Array.from({ length: 20_000 }, () => newTaskId(NOW_MS)));
    expect(ids.size).toBe(20_000);
    const [taskId] = ids;
    const tags = new Set(Array.from({ length: MAX_SLICES }, (_, slice) => sliceTag(taskId!, slice)));
    expect(tags.size).toBe(MAX_SLICES);
  });

  it('sort by time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 ** 13 }),
        fc.integer({ min: 1, max: 10 ** 9 }),
        (ms, later) => {
          expect(newTaskId(ms) < newTaskId(ms + later)).toBe(true);
        },
      ),
      { seed: 7 },
    );
  });

  it('are refused for a slice that two digits cannot number, and for what is no task id', () => {
    const taskId = newTaskId(NOW_MS);
    for (const slice of [-1, 0.5, MAX_SLICES, Number.NaN])
      expect(() => sliceTag(taskId, slice)).toThrow(RangeError);
    for (const wrong of ['', 'abc', `${taskId}0`, taskId.toUpperCase()])
      expect(() => sliceTag(wrong, 0)).toThrow(RangeError);
  });
});
