import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changed, claimed, lookedAt } from '#shared/orders/change.ts';
import { isFinal, TASK_STATES } from '#shared/orders/life-cycle.ts';
import { afterAttempt } from '#shared/orders/outcome.ts';
import { afterLook, nextStep, type StepSettings, taken } from '#shared/orders/steps.ts';
import { anyTaken, currentSlice, type Task } from '#shared/orders/types.ts';
import { DAY, NOW_MS, REQUEST, slicedTask, taskOf } from './tasks.ts';

const settings: StepSettings = {
  attemptMs: 5_000,
  replyTimeoutMs: 7_000,
  lateOrderWindowMs: 30_000,
  lookEveryMs: 2_000,
  giveUpMs: 900_000,
};
const at = (wallMs: number, day = DAY) => ({ wallMs, day });
const verifying = (change: Partial<Task> = {}) =>
  taskOf({ status: 'VERIFYING', search: { until_ms: NOW_MS + 30_000, next_look_at_ms: NOW_MS }, ...change });
const stop = { ...REQUEST, on_unknown: 'stop' } as const;

describe('a waiting task', () => {
  it('is claimed when its time has come', () => {
    expect(nextStep(taskOf(), at(NOW_MS), settings)).toEqual({ type: 'claim' });
    const retrying = taskOf({ status: 'RETRYING', not_before_ms: NOW_MS + 4_000 });
    expect(nextStep(retrying, at(NOW_MS), settings)).toEqual({ type: 'wait', untilMs: NOW_MS + 4_000 });
    expect(nextStep(retrying, at(NOW_MS + 4_000), settings)).toEqual({ type: 'claim' });
  });

  it('wakes at its not_after from a longer back-off', () => {
    const task = taskOf({ status: 'RETRYING', not_before_ms: NOW_MS + 10 ** 7 });
    expect(nextStep(task, at(NOW_MS), settings)).toEqual({ type: 'wait', untilMs: task.not_after_ms });
  });

  it.each([
    ['its not_after', at(NOW_MS + 60_000)],
    ['its trading day', at(NOW_MS, '2026-08-19')],
  ])('expires past %s, and says what stood in the way last', (_, now) => {
    const reason = { code: 'not_sent', message: 'connect ECONNREFUSED' };
    for (const status of ['PENDING', 'RETRYING'] as const) {
      const step = nextStep(taskOf({ status, reason }), now, settings);
      expect(step).toMatchObject({
        type: 'apply',
        change: { event: 'expired', reason: { code: 'expired' } },
      });
      expect(JSON.stringify(step)).toContain('ECONNREFUSED');
    }
    expect(nextStep(slicedTask(3, 1), now, settings)).toMatchObject({ change: { event: 'rest_expired' } });
  });
});

describe('a running task', () => {
  const running = claimed(taskOf(), NOW_MS, settings.attemptMs);

  it('is left alone until its worker can neither write nor wait any more', () => {
    const goneMs = NOW_MS + settings.attemptMs + settings.replyTimeoutMs;
    expect(nextStep(running, at(goneMs - 1), settings)).toEqual({ type: 'wait', untilMs: goneMs });
    expect(nextStep(running, at(goneMs), settings)).toMatchObject({
      type: 'apply',
      change: { event: 'unknown', searchUntilMs: goneMs + settings.lateOrderWindowMs },
    });
  });

  it('does not expire, whatever the time', () => {
    expect(nextStep(running, at(NOW_MS + 10 ** 9, '2026-09-01'), settings)).toMatchObject({
      change: { event: 'unknown' },
    });
  });

  it('counts its attempts over releases', () => {
    const released = changed(running, { event: 'not_sent', notBeforeMs: NOW_MS }, NOW_MS);
    expect(claimed(released, NOW_MS, 5_000).attempt).toEqual({ number: 2, deadline_ms: NOW_MS + 5_000 });
  });
});

describe('a task of unknown outcome', () => {
  it('is looked for at the times set, and not after the day of its order book', () => {
    const later = verifying({ search: { until_ms: NOW_MS + 30_000, next_look_at_ms: NOW_MS + 2_000 } });
    expect(nextStep(later, at(NOW_MS), settings)).toEqual({ type: 'wait', untilMs: NOW_MS + 2_000 });
    expect(nextStep(later, at(NOW_MS + 2_000), settings)).toEqual({ type: 'look' });
    expect(nextStep(later, at(NOW_MS + 2_000, '2026-08-19'), settings)).toMatchObject({
      change: { event: 'gave_up' },
    });
  });

  it('is completed by the one order with its tag, also long after the window', () => {
    const sight = { type: 'read', orderIds: ['42'] } as const;
    for (const ms of [NOW_MS, NOW_MS + 10 ** 6])
      expect(afterLook(verifying(), sight, ms, at(ms), settings)).toEqual({
        type: 'apply',
        change: { event: 'taken', orderId: '42' },
      });
  });

  it('goes to a person when two orders carry its tag', () => {
    const sight = { type: 'read', orderIds: ['42', '43'] } as const;
    expect(afterLook(verifying(), sight, NOW_MS, at(NOW_MS), settings)).toMatchObject({
      change: { event: 'gave_up', reason: { message: 'found more than once: 42, 43' } },
    });
  });

  it('is not judged by a book asked for within the window, even when the answer came after it', () => {
    const none = { type: 'read', orderIds: [] } as const;
    const step = afterLook(verifying(), none, NOW_MS + 29_999, at(NOW_MS + 31_000), settings);
    expect(step).toEqual({ type: 'wait', untilMs: NOW_MS + 33_000 });
  });

  it('is placed again when the whole window shows nothing and time is left', () => {
    const none = { type: 'read', orderIds: [] } as const;
    const step = afterLook(verifying(), none, NOW_MS + 30_000, at(NOW_MS + 30_010), settings);
    expect(step).toMatchObject({ change: { event: 'not_seen_replace', reason: { code: 'not_seen' } } });
  });

  it('expires or stops instead, where time or its owner do not allow a second attempt', () => {
    const none = { type: 'read', orderIds: [] } as const;
    const look = (task: Task, ms = NOW_MS + 30_000) => afterLook(task, none, ms, at(ms), settings);
    expect(look(verifying(), NOW_MS + 60_000)).toMatchObject({ change: { event: 'expired' } });
    expect(look(verifying({ request: stop }))).toMatchObject({
      change: { event: 'not_seen_stop', reason: { code: 'not_seen' } },
    });
    const part = { ...slicedTask(2, 1), status: 'VERIFYING', search: verifying().search } as const;
    expect(look({ ...part, request: stop })).toMatchObject({ change: { event: 'rest_not_seen_stop' } });
    expect(look(part, NOW_MS + 60_000)).toMatchObject({ change: { event: 'rest_expired' } });
  });

  it('is never judged by a book that could not be read: it waits, and at last a person must look', () => {
    const blind = { type: 'unreadable' } as const;
    const end = NOW_MS + 30_000 + settings.giveUpMs;
    expect(afterLook(verifying(), blind, end, at(end), settings)).toMatchObject({ type: 'wait' });
    expect(afterLook(verifying(), blind, end, at(end + 1), settings)).toMatchObject({
      change: { event: 'gave_up' },
    });
  });
});

describe('what an attempt brought', () => {
  const changeAfter = (task: Task, kind: Parameters<typeof failed>[0]) =>
    afterAttempt(task, failed(kind), NOW_MS, settings, () => 0.5);
  const failed = (kind: 'refused' | 'ambiguous' | 'not_sent' | 'rate_limited' | 'session_dead') =>
    ({ type: 'failed', kind, reason: { code: kind, message: kind } }) as const;
  const running = (task: Task) => claimed(task, NOW_MS, settings.attemptMs);

  it('placed: completed, or on to the next slice', () => {
    const placed = { type: 'placed', orderId: '7' } as const;
    const change = afterAttempt(running(taskOf()), placed, NOW_MS, settings, Math.random);
    expect(changed(running(taskOf()), change, NOW_MS)).toMatchObject({
      status: 'COMPLETED',
      slices: [{ order_id: '7' }],
    });
    const sliced = running(slicedTask(3, 1));
    const next = changed(sliced, afterAttempt(sliced, placed, NOW_MS, settings, Math.random), NOW_MS);
    expect(next.status).toBe('PENDING');
    expect(next.slices.map(({ order_id }) => order_id)).toEqual(['order0', '7', undefined]);
  });

  it('refused: failed with the reason, or partial when something is live', () => {
    expect(changeAfter(running(taskOf()), 'refused')).toMatchObject({
      event: 'refused',
      reason: { code: 'refused' },
    });
    expect(changeAfter(running(slicedTask(2, 1)), 'refused')).toMatchObject({ event: 'rest_refused' });
  });

  it('ambiguous: looked for over the whole window from now on', () => {
    expect(changeAfter(running(taskOf()), 'ambiguous')).toMatchObject({
      event: 'unknown',
      searchUntilMs: NOW_MS + settings.lateOrderWindowMs,
    });
  });

  it.each(['not_sent', 'rate_limited', 'session_dead'] as const)(
    '%s: tried again after a back-off',
    (kind) => {
      const task = running(taskOf({ failures: 2 }));
      const change = changeAfter(task, kind);
      expect(change).toMatchObject({ event: 'not_sent', notBeforeMs: NOW_MS + 4_000 });
      expect(changed(task, change, NOW_MS)).toMatchObject({
        status: 'RETRYING',
        failures: 3,
        search: undefined,
      });
    },
  );
});

/** One broker and one worker, in which anything may go wrong: the outcome is compared with the broker's book. */
const events = fc.array(
  fc.record({
    attempt: fc.constantFrom(
      'placed',
      'lost_reply',
      'lost_request',
      'refused',
      'not_sent',
      'crash_before',
      'crash_after',
    ),
    lateMs: fc.integer({ min: 0, max: settings.lateOrderWindowMs }),
    readable: fc.boolean(),
    pauseMs: fc.integer({ min: 0, max: 8_000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('a whole life under random faults', () => {
  it('ends with the broker holding exactly what the state says', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 3 }), fc.boolean(), (script, count, mayReplace) => {
        const book: { tag: string; orderId: string; visibleMs: number }[] = [];
        let task = slicedTask(count, 0, {
          request: { ...REQUEST, on_unknown: mayReplace ? 'replace' : 'stop' },
        });
        let nowMs = NOW_MS;
        const take = (lateMs: number) => {
          const order = {
            tag: currentSlice(task)!.tag,
            orderId: `o${book.length}`,
            visibleMs: nowMs + lateMs,
          };
          book.push(order);
          return order.orderId;
        };
        const send = (fault: string, lateMs: number) => {
          if (fault === 'placed') return { type: 'placed', orderId: take(lateMs) } as const;
          if (fault === 'refused' || fault === 'not_sent') return failure(fault);
          if (fault === 'lost_reply') take(lateMs);
          return failure('ambiguous');
        };
        for (let turn = 0; turn < 400 && !isFinal(task.status); turn += 1) {
          const fault = script[turn % script.length]!;
          nowMs += fault.pauseMs;
          const step = nextStep(task, at(nowMs), settings);
          if (step.type === 'wait') nowMs = Math.max(nowMs, step.untilMs);
          if (step.type === 'apply') task = changed(task, step.change, nowMs);
          if (step.type === 'claim') {
            task = claimed(task, nowMs, settings.attemptMs);
            if (fault.attempt === 'crash_before') continue;
            if (fault.attempt === 'crash_after') {
              take(settings.attemptMs + fault.lateMs);
              continue;
            }
            const outcome = send(fault.attempt, fault.lateMs);
            task = changed(
              task,
              afterAttempt(task, outcome, nowMs, settings, () => 0.5),
              nowMs,
            );
          }
          if (step.type === 'look') {
            const tag = currentSlice(task)!.tag;
            const seen = book.filter((order) => order.tag === tag && order.visibleMs <= nowMs);
            const sight = fault.readable
              ? ({ type: 'read', orderIds: seen.map(({ orderId }) => orderId) } as const)
              : ({ type: 'unreadable' } as const);
            const next = afterLook(task, sight, nowMs, at(nowMs), settings);
            task =
              next.type === 'wait' ? lookedAt(task, next.untilMs, nowMs) : changed(task, next.change, nowMs);
          }
          const tags = book.map(({ tag }) => tag);
          expect(new Set(tags).size).toBe(tags.length);
        }
        judge(
          task,
          book.map(({ orderId }) => orderId),
        );
      }),
      { seed: 11, numRuns: 3_000 },
    );
  });

  const failure = (kind: 'refused' | 'not_sent' | 'ambiguous') =>
    ({ type: 'failed', kind, reason: { code: kind, message: kind } }) as const;

  function judge(task: Task, live: readonly string[]): void {
    const known = task.slices.flatMap(({ order_id }) => order_id ?? []);
    switch (task.status) {
      case 'COMPLETED':
        expect(known).toEqual(live);
        expect(known).toHaveLength(task.slices.length);
        break;
      case 'PARTIAL':
        expect(known).toEqual(live);
        expect(anyTaken(task)).toBe(true);
        break;
      case 'FAILED':
      case 'EXPIRED':
      case 'CANCELLED':
        expect(live).toEqual([]);
        break;
      default:
        expect(live.length - known.length).toBeLessThanOrEqual(1);
    }
  }
});

describe('a final task', () => {
  it('asks for nothing more', () => {
    for (const status of TASK_STATES.filter(isFinal))
      expect(nextStep(taskOf({ status }), at(NOW_MS + 10 ** 9), settings)).toEqual({ type: 'done' });
  });

  it('names no order twice: a slice taken is not the current one any more', () => {
    const task = slicedTask(2, 2);
    expect(currentSlice(task)).toBeUndefined();
    expect(() => changed({ ...task, status: 'RUNNING' }, taken(task, '9'), NOW_MS)).toThrow();
  });
});
