import type { MarketState } from '../market/calendar.ts';

/** An account's broker session: good until 06:00 IST of the next day or a logout. */
export interface BrokerSession {
  readonly api_key: string;
  readonly access_token: string;
  /** Grows with every new token. */
  readonly session_version: number;
}

export interface Account {
  readonly account_id: string;
  readonly user_id: string;
  readonly api_key: string;
  readonly session_version: number;
  readonly status: 'active' | 'login_required' | 'disabled';
  readonly created_at: string;
  /** Market time at which the session's token ends; absent before the first login. */
  readonly session_expires_at_ms?: number;
  /** The newest change of the session. */
  readonly session_change?: SessionChange | undefined;
  /** The newest report on the feed; absent before the first trouble. */
  readonly feed?: AccountFeed | undefined;
}

export interface SessionChange {
  /** The event about it carries the same id. */
  readonly change_id: string;
  /** Market time, ISO 8601. */
  readonly changed_at: string;
  /** Absent for a new token. */
  readonly reason?: SessionReason | undefined;
}

/** `accepted_again`: the broker took a token that it had refused. */
export const SESSION_REASONS = ['refused', 'expired', 'accepted_again'] as const;
export type SessionReason = (typeof SESSION_REASONS)[number];

/**
 * Why an account does not stream what it should. `session`: its token is dead; `feed`: no link brings anything;
 * `capacity`: some of its instruments have no open link.
 */
export const FEED_REASONS = ['session', 'feed', 'capacity'] as const;
export type FeedReason = (typeof FEED_REASONS)[number];

/** What an account's streamer says of its feed. Times are market time, ISO 8601. */
export interface AccountFeed {
  readonly status: 'ok' | 'degraded';
  /** Of the trouble; with status ok, of the one that is over. */
  readonly reason: FeedReason;
  /** When the trouble began. */
  readonly since: string;
  readonly changed_at: string;
  /** Of the streamer that says so. */
  readonly lease: number;
  /** Names this report; the event about it carries the same id. */
  readonly change_id: string;
  readonly session_version: number;
  /** Instruments that the account shall stream, and how many of them have no open link. */
  readonly subscriptions: number;
  readonly unplaced: number;
  /** Derivatives' market at the time: outside of hours there may be nothing to lose. */
  readonly market: MarketState;
}

/** What a person or a script logs the account in with; kept in Secrets Manager only. */
export interface BrokerCredentials {
  readonly api_key: string;
  readonly api_secret: string;
  readonly user_id: string;
  readonly password?: string | undefined;
  readonly totp_secret?: string | undefined;
}

/** What a streamer asks of the account store. */
export interface AccountSource {
  /** One that cannot be read, as another version may have written it, is missing and told to `onUnreadable`. */
  listAccounts(onUnreadable?: (accountId: string, problem: string) => void): Promise<Account[]>;
  /** The newest session, or undefined before the first login. */
  readSession(accountId: string): Promise<BrokerSession | undefined>;
}
