import { within } from '#shared/within.ts';

/** What shall stream. */
export interface WantedAccounts {
  readonly ids: readonly string[];
  /** Nobody knows whether these shall: they are left with whoever has them. */
  readonly unreadable: readonly string[];
}

export interface WantedSettings {
  /** So long a slow answer is waited for; then the list read before stands in. */
  readonly patienceMs: number;
  /** A read without an answer has failed after this time. */
  readonly timeoutMs: number;
}

/** The list of accounts as it was read last: an index that is slow or away must not keep anybody from the leases. */
export class Wanted {
  readonly #settings: WantedSettings;
  #last: WantedAccounts | undefined;
  #reading: Promise<void> | undefined;
  /** Why the newest read brought nothing. */
  failure: Error | undefined;

  constructor(settings: WantedSettings) {
    this.#settings = settings;
  }

  /** @throws before anything was read */
  get last(): WantedAccounts {
    if (this.#last === undefined) throw this.failure ?? new Error('the accounts are not read yet');
    return this.#last;
  }

  /** Reads, or waits for the read that is under way. A failure is kept, not thrown. */
  async refresh(read: () => Promise<WantedAccounts>): Promise<void> {
    const { patienceMs, timeoutMs } = this.#settings;
    this.#reading ??= this.#read(read).finally(() => {
      this.#reading = undefined;
    });
    const waitMs = this.#last === undefined ? timeoutMs : patienceMs;
    await within(waitMs, 'waiting for the accounts', this.#reading).catch(() => {
      // Later than this turn can wait: a later one has the answer.
    });
  }

  async #read(read: () => Promise<WantedAccounts>): Promise<void> {
    try {
      this.#last = await within(this.#settings.timeoutMs, 'reading the accounts', read());
      this.failure = undefined;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }
}
