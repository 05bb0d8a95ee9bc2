/**
 * What a failed call to the broker means for the one who asked:
 * - `not_sent`: certain that the broker never saw it; may be done again.
 * - `rate_limited`: the broker turned it away unread (429); may be done again later.
 * - `session_dead`: turned away for want of a live session (403 TokenException); may be done again with another.
 * - `refused`: read and refused; doing it again brings the same.
 * - `ambiguous`: anything else. An order may have been placed: look before doing it again.
 */
export type BrokerErrorKind = 'not_sent' | 'rate_limited' | 'session_dead' | 'refused' | 'ambiguous';

export interface BrokerErrorDetails {
  readonly status?: number | undefined;
  readonly errorType?: string | undefined;
}

/** Never carries a token: only the broker's own words, or ours. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly kind: BrokerErrorKind;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** The broker's `error_type`. */
  readonly errorType: string | undefined;

  constructor(kind: BrokerErrorKind, message: string, details: BrokerErrorDetails = {}) {
    super(message);
    this.kind = kind;
    this.status = details.status;
    this.errorType = details.errorType;
  }
}

/** How one exchange with the broker went, as far as the transport could see. */
export interface ExchangeRecord {
  /** Whether any byte of the request was handed to a connected socket. */
  readonly written: boolean;
  readonly status?: number | undefined;
}

/** Refusals by the order management system that leave no order behind (kite.trade/docs/connect/v3/exceptions). */
const REFUSALS = new Set([
  'InputException',
  'MarginException',
  'OrderException',
  'HoldingException',
  'UserException',
  'PermissionException',
  'PermissionError',
  'TokenException',
]);

/** No such resource, method, or gone: answered by the router before anything reads the order. */
const UNROUTED = new Set([404, 405, 410]);

/** Time-outs inside the broker come back as a 400 with such words, and the order may still appear. */
const CHECK_FIRST = /order\s*-?book|tim(ed|e)[\s-]*out|check\b.*\border/i;

/** The kind of a failed exchange; `body` is what the broker (or nobody) answered. */
export function errorKind(
  record: ExchangeRecord,
  body: { readonly error_type?: string | undefined; readonly message?: string | undefined },
): BrokerErrorKind {
  if (!record.written) return 'not_sent';
  const status = record.status ?? 0;
  if (status === 429) return 'rate_limited';
  if (status < 400 || status >= 500) return 'ambiguous';
  // Its words ("Insufficient funds ... Check the orderbook") are advice to a person: nothing was placed.
  if (body.error_type === 'MarginException') return 'refused';
  if (CHECK_FIRST.test(body.message ?? '')) return 'ambiguous';
  if (status === 403 && body.error_type === 'TokenException') return 'session_dead';
  if (UNROUTED.has(status)) return 'refused';
  return REFUSALS.has(body.error_type ?? '') ? 'refused' : 'ambiguous';
}
