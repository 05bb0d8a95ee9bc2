import type { BrokerSession } from '#shared/accounts/types.ts';
import { within } from '#shared/within.ts';

const READ_TIMEOUT_MS = 10_000;

/** The account's session as its connections use it: read when it is missing, refused or known to be old. */
export class SessionKeeper {
  readonly #read: () => Promise<BrokerSession | undefined>;
  #session: BrokerSession | undefined;
  #isStale = false;
  #deadVersion = 0;
  #announcedVersion = 0;

  constructor(read: () => Promise<BrokerSession | undefined>) {
    this.#read = read;
  }

  /** 0 before the first. */
  get version(): number {
    return this.#session?.session_version ?? 0;
  }

  /** @throws what reading threw, or a TimeoutError, where no session is known */
  async current(): Promise<BrokerSession | undefined> {
    if (this.#session !== undefined && !this.#isStale) return this.#session;
    const known = this.#session;
    try {
      this.#session = await within(READ_TIMEOUT_MS, 'reading the session', this.#read());
      this.#isStale = false;
    } catch (error) {
      // A known one may still be good, and asking the broker is how to find out.
      if (known === undefined) throw error;
    }
    return this.#session;
  }

  /** @returns whether the version is newer than the session in use, and was not announced before */
  announced(version: number): boolean {
    if (this.#session !== undefined && this.version >= version) return false;
    this.#isStale = true;
    if (version <= this.#announcedVersion) return false;
    this.#announcedVersion = version;
    return true;
  }

  /** The broker refused it. @returns whether that is the first time for this version */
  refused(version: number): boolean {
    this.#isStale = true;
    if (version <= this.#deadVersion) return false;
    this.#deadVersion = version;
    return true;
  }

  /** The broker took it: should it be refused after all, that is another death. */
  taken(version: number): void {
    if (version === this.#deadVersion) this.#deadVersion = 0;
  }
}
