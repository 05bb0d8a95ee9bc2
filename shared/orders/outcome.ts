import { BrokerError, type BrokerErrorKind } from '#shared/broker/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Change } from './change.ts';
import { restOf, type StepSettings, taken } from './steps.ts';
import type { Reason, Task } from './types.ts';

/** How the attempt to place a slice ended. */
export type Outcome =
  | { readonly type: 'placed'; readonly orderId: string }
  | { readonly type: 'failed'; readonly kind: BrokerErrorKind; readonly reason: Reason };

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
    case 'session_dead':
      return { event: 'not_sent', reason, notBeforeMs: wallMs + backoffMs(task.failures + 1, random) };
  }
}
