import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ImpossibleTransitionError,
  isFinal,
  LIFE_CYCLE,
  nextState,
  TASK_EVENTS,
  TASK_STATES,
  type TaskState,
} from '#shared/orders/life-cycle.ts';

const FINAL: readonly TaskState[] = ['COMPLETED', 'PARTIAL', 'FAILED', 'CANCELLED', 'EXPIRED', 'DEAD_LETTER'];
const pairs = TASK_STATES.flatMap((state) => TASK_EVENTS.map((event) => ({ state, event })));

describe('the life cycle of a task', () => {
  it('answers every pair of state and event with a listed state or the typed error', () => {
    for (const { state, event } of pairs) {
      const listed = LIFE_CYCLE[state][event];
      if (listed === undefined) {
        expect(() => nextState(state, event)).toThrow(ImpossibleTransitionError);
        expect(() => nextState(state, event)).toThrow(`a task that is ${state} cannot be ${event}`);
      } else expect(nextState(state, event)).toBe(listed);
    }
  });

  it('has exactly the final states of the design, and no way out of them', () => {
    expect(TASK_STATES.filter(isFinal)).toEqual(FINAL);
    for (const state of FINAL)
      for (const event of TASK_EVENTS)
        expect(() => nextState(state, event)).toThrow(ImpossibleTransitionError);
  });

  it('reaches every state from PENDING, and a final one from everywhere', () => {
    const reach = (from: TaskState) => {
      const seen = new Set<TaskState>([from]);
      for (const state of seen) for (const next of Object.values(LIFE_CYCLE[state])) seen.add(next);
      return seen;
    };
    expect([...reach('PENDING')].sort()).toEqual([...TASK_STATES].sort());
    for (const state of TASK_STATES) expect([...reach(state)].some(isFinal)).toBe(true);
  });

  it('knows every event', () => {
    for (const event of TASK_EVENTS)
      expect(TASK_STATES.some((state) => LIFE_CYCLE[state][event] !== undefined)).toBe(true);
  });

  it('sends only from RUNNING, which only a claim of a waiting task enters', () => {
    for (const { state, event } of pairs)
      if (LIFE_CYCLE[state][event] === 'RUNNING') {
        expect(event).toBe('claimed');
        expect(['PENDING', 'RETRYING']).toContain(state);
      }
  });

  it('never waits, expires, fails or is cancelled out of an unknown outcome without a look at the order book', () => {
    expect(LIFE_CYCLE.RUNNING.unknown).toBe('VERIFYING');
    for (const event of [
      'cancelled',
      'rest_cancelled',
      'refused',
      'rest_refused',
      'not_sent',
      'claimed',
    ] as const)
      expect(() => nextState('VERIFYING', event)).toThrow(ImpossibleTransitionError);
  });

  it('stands still once final, whatever random events come', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...TASK_EVENTS), { maxLength: 40 }), (events) => {
        let state: TaskState = 'PENDING';
        for (const event of events) {
          const wasFinal = isFinal(state);
          try {
            state = nextState(state, event);
            expect(wasFinal).toBe(false);
          } catch (error) {
            expect(error).toBeInstanceOf(ImpossibleTransitionError);
          }
        }
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});
