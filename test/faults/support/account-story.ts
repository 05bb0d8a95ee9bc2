import type { AccountRepository } from '#shared/accounts/repository.ts';
import type { Account, AccountFeed } from '#shared/accounts/types.ts';

const LOOK_MS = 40;

/**
 * What the table said of an account, each change once and in its order: what its stream tells on as events. Tests wait
 * for one change before they cause the next, so that no look comes too late.
 */
export class AccountStory {
  readonly feeds: AccountFeed[] = [];
  readonly #told = new Map<string, string>();
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(accounts: Pick<AccountRepository, 'get'>, accountId: string) {
    this.#running = this.#loop(accounts, accountId);
  }

  get told(): readonly string[] {
    return [...this.#told.values()];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #loop(accounts: Pick<AccountRepository, 'get'>, accountId: string): Promise<void> {
    while (!this.#stopped) {
      // A look that fails is made up for by the next: what was told stays in the table until a test goes on.
      const account = await accounts.get(accountId).catch(() => undefined);
      if (account !== undefined) this.#note(account);
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  #note({ session_change: session, session_version, status, feed }: Account): void {
    if (session !== undefined && !this.#told.has(session.change_id)) {
      const reason = session.reason === undefined ? '' : ` ${session.reason}`;
      this.#told.set(session.change_id, `v${session_version} ${status}${reason}`);
    }
    if (feed === undefined || this.#told.has(feed.change_id)) return;
    this.#told.set(feed.change_id, `${feed.status} ${feed.reason}`);
    this.feeds.push(feed);
  }
}
