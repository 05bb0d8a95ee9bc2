import type { Clock } from '../clock.ts';
import type { ApiKeySource } from './keys.ts';
import type { Principal } from './principal.ts';
import { Problem } from './problem.ts';

const MEMORY_MS = 60_000;
const MEMORY_ENTRIES = 1_000;
const KEY_HEADER = 'x-api-key';
/** Ours have 46; a longer one is not worth a hash. */
const MAX_KEY_LENGTH = 256;

interface Remembered {
  readonly principal: Principal;
  readonly untilMs: number;
}

/** Decides who calls, for the authoriser and for handlers that got no authoriser's word. */
export class Authenticator {
  readonly #keys: ApiKeySource;
  readonly #clock: Clock;
  readonly #known = new Map<string, Remembered>();

  constructor(keys: ApiKeySource, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * A good key is remembered for at most 60 s of wall time; a bad one never, so that a new key works at once.
   * @param headers with names in lower case
   * @throws Problem 401 `unauthenticated`
   */
  async principalOf(headers: Readonly<Record<string, string | undefined>>): Promise<Principal> {
    const key = headers[KEY_HEADER];
    if (key === undefined || key === '') {
      throw unauthenticated('an API key is needed in the header X-API-Key');
    }
    const nowMs = this.#clock.wallMs();
    const remembered = this.#known.get(key);
    if (remembered !== undefined && nowMs < remembered.untilMs) return remembered.principal;
    const principal = await this.#look(key);
    this.#remember(key, { principal, untilMs: nowMs + MEMORY_MS });
    return principal;
  }

  async #look(key: string): Promise<Principal> {
    const record = key.length > MAX_KEY_LENGTH ? undefined : await this.#keys.find(key);
    if (record === undefined || record.disabled === true) {
      this.#known.delete(key);
      throw unauthenticated('the API key is not known or was disabled');
    }
    const { key_id, owner, name, scopes } = record;
    return { key_id, owner, name, scopes };
  }

  #remember(key: string, entry: Remembered): void {
    this.#known.delete(key);
    this.#known.set(key, entry);
    if (this.#known.size <= MEMORY_ENTRIES) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function unauthenticated(detail: string): Problem {
  return new Problem(401, 'unauthenticated', detail, { headers: { 'WWW-Authenticate': 'ApiKey' } });
}
