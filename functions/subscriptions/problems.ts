import { Problem } from '#shared/http/problem.ts';
import { SubscriptionError, type SubscriptionErrorCode } from '#shared/subscriptions/errors.ts';

const STATUS: Readonly<Record<SubscriptionErrorCode, number>> = {
  no_account_available: 503,
  account_full: 409,
  account_not_found: 404,
  account_disabled: 409,
  subscribed_elsewhere: 409,
  instrument_changed: 409,
  not_claimed: 404,
  busy: 409,
};

/** What callers can act upon becomes a problem of its own; the rest stays as it is. */
export async function asProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SubscriptionError) {
      throw new Problem(STATUS[error.code], error.code, error.message, { cause: error });
    }
    throw error;
  }
}
