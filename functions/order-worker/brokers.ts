import type { AccountRepository } from '#shared/accounts/repository.ts';
import { hasLiveSession } from '#shared/accounts/session.ts';
import { type BreakerGate, BrokerClient } from '#shared/broker/client.ts';
import { BrokerError } from '#shared/broker/errors.ts';
import { BrokerConnections } from '#shared/broker/transport.ts';
import type { Clock } from '#shared/clock.ts';

export interface BrokersOptions {
  readonly accounts: Pick<AccountRepository, 'get' | 'readSession'>;
  readonly root: string;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly clock: Clock;
  readonly breaker: BreakerGate;
}

interface AccountBroker {
  readonly sessionVersion: number;
  readonly client: BrokerClient;
}

/** Clients by account, each on the account's newest session; their connections and their breaker are one. */
export class Brokers {
  readonly #options: BrokersOptions;
  readonly #connections: BrokerConnections;
  readonly #clients = new Map<string, AccountBroker>();

  constructor(options: BrokersOptions) {
    this.#options = options;
    this.#connections = new BrokerConnections(options.clock);
  }

  /** @throws BrokerError `session_dead` when the account has no live session */
  async forAccount(accountId: string): Promise<BrokerClient> {
    const { accounts, clock } = this.#options;
    const account = await accounts.get(accountId);
    if (account === undefined || !hasLiveSession(account, clock.nowMs()))
      throw new BrokerError('session_dead', `the account ${accountId} has no live session`);
    const known = this.#clients.get(accountId);
    if (known?.sessionVersion === account.session_version) return known.client;
    return this.#open(accountId);
  }

  close(): void {
    this.#connections.close();
  }

  async #open(accountId: string): Promise<BrokerClient> {
    const { accounts, root, connectTimeoutMs, replyTimeoutMs, breaker } = this.#options;
    const session = await accounts.readSession(accountId);
    if (session === undefined)
      throw new BrokerError('session_dead', `the session of the account ${accountId} is not stored`);
    const client = new BrokerClient({
      root,
      apiKey: session.api_key,
      accessToken: session.access_token,
      connectTimeoutMs,
      replyTimeoutMs,
      connections: this.#connections,
      breaker,
    });
    this.#clients.set(accountId, { sessionVersion: session.session_version, client });
    return client;
  }
}
