import type { FeedMode, Instrument } from '../market/instrument.ts';

/** The row under the account: all that a streamer needs to stream one instrument. */
export interface AccountSubscription {
  readonly instrument_token: number;
  readonly mode: FeedMode;
  /** Grows with every change of the subscription, also over removal and return. */
  readonly version: number;
  readonly instrument: Instrument;
  /** The version at which its first tick was reported; absent until then. */
  readonly activated_version?: number | undefined;
}

/** What a streamer asks of the subscription store; every read is strongly consistent. */
export interface SubscriptionSource {
  /** The account's dirty mark: 0 before the first change. */
  dirtyMark(accountId: string): Promise<number>;
  /** All instruments that the account shall stream. */
  listForAccount(accountId: string): Promise<AccountSubscription[]>;
  /** Only these; a token that is not in the answer shall not stream. */
  getForAccount(accountId: string, instrumentTokens: readonly number[]): Promise<AccountSubscription[]>;
}
