/**
 * Why a subscription could not be changed.
 * `no_account_available` none has a live session and room; `account_full`, `account_not_found`, `account_disabled` the
 * account asked for; `subscribed_elsewhere` it streams on another account already; `instrument_changed` the token names
 * another contract than the subscription was made for; `not_claimed` the owner has no claim; `busy` others kept changing it.
 */
export type SubscriptionErrorCode =
  | 'no_account_available'
  | 'account_full'
  | 'account_not_found'
  | 'account_disabled'
  | 'subscribed_elsewhere'
  | 'instrument_changed'
  | 'not_claimed'
  | 'busy';

export class SubscriptionError extends Error {
  readonly code: SubscriptionErrorCode;

  constructor(code: SubscriptionErrorCode, message: string) {
    super(message);
    this.name = 'SubscriptionError';
    this.code = code;
  }
}
