import { BrokerError, type BrokerErrorKind } from '#shared/broker/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Change } from './change.ts';
import { restOf, type StepSettings, taken } from './steps.ts';
import type { Reason, Task } from './types.ts';

/** How the attempt to place a slice ended. */
export type Outcome =
  | { readonly type: 'placed'; readonly orderId: string }
  | {
      readonly type: 'failed';
      readonly kind: BrokerErrorKind;
      readonly reason: Reason;
      /** Wall time, epoch ms, where it is known when to try again; otherwise the back-off says. */
      readonly notBeforeMs?: number | undefined;
    };

const REASON_CODE: Readonly<Record<BrokerErrorKind, string>> = {
  not_sent: 'not_sent',
  rate_limited: 'rate_limited',
  session_dead: 'session_dead',
  refused: 'refused',
  ambiguous: 'outcome_unknown',
};

/** What is not the broker's error (the table's, a bug's) is no outcome: it passes. */
export function failedOutcome(error: unknown): Outcome {
  if (!(error instanceof BrokerError)) throw error;
  const reason = { code: REASON_CODE[error.kind], message: error.message, error_type: error.errorType };
  return { type: 'failed', kind: error.kind, reason };
}

/** Who found no slot comes back over this time, so that all do not come at once. */
const SLOT_SPREAD_MS = 2_000;

/** @param freeAtMs when there may be a slot; undefined: not on this day, so the task waits for its end */
export function withoutSlot(freeAtMs: number | undefined, wallMs: number, random: () => number): Outcome {
  const message =
    freeAtMs === undefined
      ? "the account's orders of the day are used up"
      : "the broker's rate limit leaves no room for it yet";
  const notBeforeMs =
    freeAtMs === undefined
      ? Number.MAX_SAFE_INTEGER
      : Math.max(freeAtMs, wallMs) + Math.floor(random() * SLOT_SPREAD_MS);
  return { type: 'failed', kind: 'not_sent', reason: { code: 'no_slot', message }, notBeforeMs };
}

/**
 * What an attempt means for its task.
 * @param wallMs when the call was over: a late order has the whole window from then on
 */
export function afterAttempt(
  task: Task,
  outcome: Outcome,
  wallMs: number,
  settings: Pick<StepSettings, 'lateOrderWindowMs'>,
  random: () => number,
): Change {
  if (outcome.type === 'placed') return taken(task, outcome.orderId);
  const { reason } = outcome;
  switch (outcome.kind) {
    case 'refused':
      return { event: restOf(task, 'refused', 'rest_refused'), reason };
    case 'ambiguous':
      return { event: 'unknown', reason, searchUntilMs: wallMs + settings.lateOrderWindowMs };
    case 'not_sent':
    case 'rate_limited':
    case 'session_dead': {
      const notBeforeMs = outcome.notBeforeMs ?? wallMs + backoffMs(task.failures + 1, random);
      return { event: 'not_sent', reason, notBeforeMs };
    }
  }
}
