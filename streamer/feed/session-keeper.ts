import type { BrokerSession } from '#shared/accounts/types.ts';

/** The account's session as its connections use it: read when it is missing, refused or known to be old. */
export class SessionKeeper {
  readonly #read: () => Promise<BrokerSession | undefined>;
  #session: BrokerSession | undefined;
  #isStale = false;
  #deadVersion = 0;

  constructor(read: () => Promise<BrokerSession | undefined>) {
    this.#read = read;
  }

  /** 0 before the first. */
  get version(): number {
    return this.#session?.session_version ?? 0;
  }

  async current(): Promise<BrokerSession | undefined> {
    if (this.#session === undefined || this.#isStale) {
      this.#session = await this.#read();
      this.#isStale = false;
    }
    return this.#session;
  }

  /** @returns whether the version is newer than the session in use */
  announced(version: number): boolean {
    if (this.#session !== undefined && this.version >= version) return false;
    this.#isStale = true;
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
