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
  listAccounts(): Promise<Account[]>;
  /** The newest session, or undefined before the first login. */
  readSession(accountId: string): Promise<BrokerSession | undefined>;
}
