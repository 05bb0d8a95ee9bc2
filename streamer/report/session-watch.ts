import { randomUUID } from 'node:crypto';
import type { Account, SessionChange, SessionReason } from '#shared/accounts/types.ts';

/** `unknown`: the broker has neither taken nor refused the newest token yet. */
export type SessionState = 'ok' | 'login_required' | 'unknown';

/** What the table does not know yet. */
export interface SessionNews {
  readonly type: 'died' | 'lives';
  readonly version: number;
  readonly change: SessionChange;
}

/** The broker's clock and this one differ: refused so shortly before its end, a token has ended. */
const SKEW_MS = 5_000;

/**
 * What is known of an account's newest token, from the broker and from the table. A token dies once; only one that the
 * broker takes again for a while can die again. What is said of an older token than the newest is no news.
 */
export class SessionWatch {
  #version: number;
  #expiresAtMs: number | undefined;
  #state: SessionState = 'unknown';
  #news: SessionNews | undefined;
  /** Steady time since when a token that counts as dead is taken again. */
  #revivedMs: number | undefined;
  /** Changes of this session known already: an index may show an older state again. */
  readonly #seen = new Set<string>();
  readonly #reviveAfterMs: number;

  /** @param reviveAfterMs how long a dead token must be taken again before it counts as alive */
  constructor(account: Account, reviveAfterMs: number) {
    this.#version = account.session_version;
    this.#reviveAfterMs = reviveAfterMs;
    this.#adopt(account);
  }

  get version(): number {
    return this.#version;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Market time; undefined where it is not known. */
  get expiresAtMs(): number | undefined {
    return this.#expiresAtMs;
  }

  get news(): SessionNews | undefined {
    return this.#news;
  }

  /** The account as the table has it, or had it a moment ago. */
  read(account: Account): void {
    if (account.session_version < this.#version) return;
    this.#moveTo(account.session_version);
    this.#adopt(account);
  }

  /** The broker refused this token for being dead. */
  died(version: number, nowMs: number): void {
    const hasExpired = this.#hasExpired(nowMs + SKEW_MS);
    this.#die(version, hasExpired ? 'expired' : 'refused', nowMs);
  }

  /** The broker took this token for a new link. */
  accepted(version: number, steadyMs: number): void {
    if (version < this.#version) return;
    this.#moveTo(version);
    if (this.#state === 'login_required') this.#revivedMs = steadyMs;
    this.#state = 'ok';
  }

  /** Called again and again. A token past its end of which no link is left is dead, whether the broker said so or not. */
  look(hasOpenLink: boolean, nowMs: number, steadyMs: number): void {
    if (this.#revivedMs !== undefined && steadyMs - this.#revivedMs >= this.#reviveAfterMs) {
      this.#revivedMs = undefined;
      this.#setNews('lives', 'accepted_again', nowMs);
    }
    if (this.#hasExpired(nowMs) && !hasOpenLink) this.#die(this.#version, 'expired', nowMs);
  }

  /** These news are in the table, or had no place there any more. */
  told(news: SessionNews): void {
    if (this.#news === news) this.#news = undefined;
  }

  #hasExpired(nowMs: number): boolean {
    return this.#expiresAtMs !== undefined && nowMs >= this.#expiresAtMs;
  }

  #moveTo(version: number): void {
    if (version === this.#version) return;
    this.#version = version;
    this.#expiresAtMs = undefined;
    this.#state = 'unknown';
    this.#news = undefined;
    this.#revivedMs = undefined;
    this.#seen.clear();
  }

  #die(version: number, reason: SessionReason, nowMs: number): void {
    if (version < this.#version) return;
    this.#moveTo(version);
    const countedAsAlive = this.#state !== 'login_required' && this.#revivedMs === undefined;
    this.#state = 'login_required';
    this.#revivedMs = undefined;
    if (countedAsAlive) this.#setNews('died', reason, nowMs);
  }

  #setNews(type: SessionNews['type'], reason: SessionReason, nowMs: number): void {
    const changed_at = new Date(nowMs).toISOString();
    const change_id = randomUUID();
    // The table may show it before it has answered: what came after it must stand.
    this.#seen.add(change_id);
    this.#news = { type, version: this.#version, change: { change_id, changed_at, reason } };
  }

  #adopt({ session_expires_at_ms, session_change, status }: Account): void {
    this.#expiresAtMs = session_expires_at_ms;
    const change = session_change?.change_id ?? '';
    if (this.#seen.has(change)) return;
    this.#seen.add(change);
    if (status !== 'login_required') return;
    this.#state = 'login_required';
    this.#news = undefined;
    this.#revivedMs = undefined;
  }
}
