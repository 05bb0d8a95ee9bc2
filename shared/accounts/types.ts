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
}

/** What a streamer asks of the account store. */
export interface AccountSource {
  listAccounts(): Promise<Account[]>;
  /** The newest session, or undefined before the first login. */
  readSession(accountId: string): Promise<BrokerSession | undefined>;
}
