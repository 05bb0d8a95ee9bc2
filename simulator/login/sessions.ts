import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '#shared/clock.ts';
import { addDays, istDay, istMs } from '#shared/market/calendar.ts';
import type { LiveSession, Sessions } from '../contracts.ts';
import type { Account } from './accounts.ts';

/** The broker's rule: every token of a day ends at 06:00 IST of the next morning. */
const DAY_ENDS_AT = '06:00';

export interface Session extends LiveSession {
  readonly public_token: string;
  readonly enctoken: string;
  readonly refresh_token: string;
  readonly loginMs: number;
  readonly expiresMs: number;
}

/** The next 06:00 IST after the login. */
export function sessionEndMs(loginMs: number): number {
  const today = istMs(istDay(loginMs), DAY_ENDS_AT);
  return loginMs < today ? today : istMs(addDays(istDay(loginMs), 1), DAY_ENDS_AT);
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const token = () => randomBytes(24).toString('base64url').replace(/[-_]/g, 'x');

interface PendingRequest {
  readonly api_key: string;
  readonly endsWallMs: number;
}

/** Sessions live on market time; a request_token's few minutes run on the machine's, or 60x would kill it at once. */
export class SessionStore implements Sessions {
  readonly #clock: Clock;
  readonly #requests = new Map<string, PendingRequest>();
  readonly #byToken = new Map<string, Session>();
  readonly #listeners = new Set<(session: LiveSession) => void>();
  /** Over, told of, and kept for their refresh tokens. */
  readonly #overdue = new Set<Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  resolve(apiKey: string, accessToken: string): Session | undefined {
    const session = this.#byToken.get(accessToken);
    if (session?.api_key !== apiKey) return undefined;
    return this.#clock.nowMs() < session.expiresMs ? session : undefined;
  }

  onEnd(listener: (session: LiveSession) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the redirect after a login carries: good once, for a short time. */
  issueRequestToken(apiKey: string, lifeSeconds: number): string {
    const wallMs = this.#clock.wallMs();
    for (const [old, { endsWallMs }] of this.#requests) if (endsWallMs <= wallMs) this.#requests.delete(old);
    const requestToken = token();
    this.#requests.set(requestToken, {
      api_key: apiKey,
      endsWallMs: wallMs + lifeSeconds * 1000,
    });
    return requestToken;
  }

  /** Uses the token up. @returns whether it was issued to this app and is still young enough. */
  takeRequestToken(apiKey: string, requestToken: string): boolean {
    const pending = this.#requests.get(requestToken);
    if (pending?.api_key !== apiKey) return false;
    this.#requests.delete(requestToken);
    return this.#clock.wallMs() < pending.endsWallMs;
  }

  /** The app's live session, newly made where there is none or `fresh` asks for another (the old one ends). */
  open(account: Account, fresh: boolean): Session {
    const live = this.liveOf(account.api_key);
    if (live !== undefined && !fresh) return live;
    if (live !== undefined) this.end(live);
    this.#forgetOverdue(account.api_key);
    const loginMs = this.#clock.nowMs();
    const session: Session = {
      user_id: account.user_id,
      api_key: account.api_key,
      access_token: token(),
      public_token: token(),
      enctoken: token(),
      refresh_token: token(),
      loginMs,
      expiresMs: sessionEndMs(loginMs),
    };
    this.#byToken.set(session.access_token, session);
    return session;
  }

  liveOf(apiKey: string): Session | undefined {
    return this.list().find((session) => session.api_key === apiKey);
  }

  byRefreshToken(apiKey: string, refreshToken: string): Session | undefined {
    return [...this.#byToken.values()].find(
      (session) => session.api_key === apiKey && session.refresh_token === refreshToken,
    );
  }

  /** Ends one session before its time. */
  end(session: Session): void {
    if (this.#byToken.delete(session.access_token) && !this.#overdue.delete(session)) this.#tell(session);
  }

  /** Tells of the sessions whose day is over; called often, and after the clock was moved. */
  endOverdue(): void {
    const nowMs = this.#clock.nowMs();
    for (const session of this.#byToken.values()) {
      if (nowMs < session.expiresMs || this.#overdue.has(session)) continue;
      this.#overdue.add(session);
      this.#tell(session);
    }
  }

  #tell(session: Session): void {
    for (const listener of this.#listeners) listener(session);
  }

  /** A refresh token is good until the app's next session: dead sessions must not pile up. */
  #forgetOverdue(apiKey: string): void {
    const nowMs = this.#clock.nowMs();
    for (const session of [...this.#byToken.values()])
      if (session.api_key === apiKey && nowMs >= session.expiresMs) this.end(session);
  }

  /** Master logout: ends all sessions of a user. @returns how many there were. */
  endAllOf(userId: string): number {
    const sessions = this.list().filter((session) => session.user_id === userId);
    for (const session of sessions) this.end(session);
    return sessions.length;
  }

  /** A random id for whatever the broker gives one. */
  newId(): string {
    return token();
  }

  reset(): void {
    for (const session of [...this.#byToken.values()]) this.end(session);
    this.#requests.clear();
  }

  /** The live ones. */
  list(): Session[] {
    return [...this.#byToken.values()].filter((session) => this.#clock.nowMs() < session.expiresMs);
  }
}
