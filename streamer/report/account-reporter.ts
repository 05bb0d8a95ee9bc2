import { randomUUID } from 'node:crypto';
import type { AccountReports } from '#shared/accounts/reports.ts';
import type { Account, AccountFeed, FeedReason } from '#shared/accounts/types.ts';
import type { SteadyClock } from '#shared/clock.ts';
import { marketState } from '#shared/market/calendar.ts';
import type { Activations } from './activations.ts';
import { FeedJudge, type Trouble } from './feed-judge.ts';
import { type SessionState, SessionWatch } from './session-watch.ts';

export interface AccountReportSettings {
  readonly degradedAfterMs: number;
  readonly recoveredAfterMs: number;
}

/** What the account's links bring now. */
export interface FeedView {
  readonly subscriptions: number;
  /** Instruments that no open link carries. */
  readonly unplaced: number;
  readonly hasOpenLink: boolean;
}

export interface AccountReporterParts {
  readonly clock: SteadyClock;
  readonly reports: AccountReports;
  readonly activations: Pick<Activations, 'tell' | 'told'>;
  /** The account's lease while it is safely held. */
  lease(): number | undefined;
  feed(): FeedView;
  /** What was news to the table, for the log. */
  onTold(what: string, details: Record<string, unknown>): void;
}

/** What health shows of an account's session and feed. */
export interface AccountReport {
  readonly session: SessionState;
  readonly session_version: number;
  readonly session_expires_at: string | null;
  /** The trouble that the control plane was told of, or will be. */
  readonly degraded: { readonly reason: FeedReason; readonly since: string } | null;
}

/** Watches one account's session and feed, and keeps the table's word on them and on first ticks true. */
export class AccountReporter {
  readonly #accountId: string;
  readonly #parts: AccountReporterParts;
  readonly #session: SessionWatch;
  readonly #settings: AccountReportSettings;
  /** Reports on the feed that are known: an index may show an older one again. */
  readonly #seen = new Set<string | undefined>();
  #judge: FeedJudge;
  #told: Trouble | undefined;
  #hasReported = false;
  /** Sent and not answered for certain: it is sent again as it is, so that it counts once. */
  #underWay: AccountFeed | undefined;
  #telling: Promise<void> | undefined;

  constructor(account: Account, settings: AccountReportSettings, parts: AccountReporterParts) {
    this.#settings = settings;
    this.#accountId = account.account_id;
    this.#parts = parts;
    this.#session = new SessionWatch(account, settings.recoveredAfterMs);
    this.#judge = this.#startFrom(account.feed);
  }

  get report(): AccountReport {
    const { state, version, expiresAtMs } = this.#session;
    const { trouble } = this.#judge;
    return {
      session: state,
      session_version: version,
      session_expires_at: expiresAtMs === undefined ? null : iso(expiresAtMs),
      degraded: trouble === undefined ? null : { reason: trouble.reason, since: iso(trouble.sinceMs) },
    };
  }

  /** First ticks that were news to the table. */
  get activated(): number {
    return this.#parts.activations.told;
  }

  accountRead(account: Account): void {
    this.#session.read(account);
    this.#adopt(account.feed);
  }

  sessionDied(version: number): void {
    this.#session.died(version, this.#parts.clock.nowMs());
  }

  sessionAccepted(version: number): void {
    this.#session.accepted(version, this.#parts.clock.steadyMs());
  }

  /** Takes note of how it is now; called about once a second. */
  look(): void {
    const { clock } = this.#parts;
    const view = this.#parts.feed();
    const [nowMs, steadyMs] = [clock.nowMs(), clock.steadyMs()];
    this.#session.look(view.hasOpenLink, nowMs, steadyMs);
    this.#judge.observe(this.#troubleNow(view), nowMs, steadyMs);
  }

  /**
   * Writes what the table does not know yet; asked again meanwhile, it is the same turn.
   * @throws what the table throws: the next turn tries again
   */
  tell(): Promise<void> {
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  /** None waits for another's success. */
  async #tellAll(): Promise<void> {
    if (this.#parts.lease() === undefined) return;
    const told = await Promise.allSettled([
      this.#tellSession(),
      this.#tellFeed(),
      this.#parts.activations.tell(),
    ]);
    const failed = told.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** The account was read before its last holder's report came to the index: what this one goes by is not true. */
  #adopt(feed: AccountFeed | undefined): void {
    if (this.#hasReported || feed === undefined || this.#seen.has(feed.change_id)) return;
    this.#judge = this.#startFrom(feed);
  }

  #startFrom(feed: AccountFeed | undefined): FeedJudge {
    const { degradedAfterMs, recoveredAfterMs } = this.#settings;
    this.#seen.add(feed?.change_id);
    this.#told = troubleIn(feed);
    return new FeedJudge({ onAfterMs: degradedAfterMs, offAfterMs: recoveredAfterMs }, this.#told);
  }

  #troubleNow({ hasOpenLink, unplaced }: FeedView): FeedReason | undefined {
    if (this.#session.state === 'login_required') return 'session';
    if (!hasOpenLink) return 'feed';
    return unplaced > 0 ? 'capacity' : undefined;
  }

  async #tellSession(): Promise<void> {
    const { news } = this.#session;
    if (news === undefined) return;
    const { reports, onTold } = this.#parts;
    const { type, version, change } = news;
    const isNews =
      type === 'died'
        ? await reports.sessionDied(this.#accountId, version, change)
        : await reports.sessionLives(this.#accountId, version, change);
    this.#session.told(news);
    const what = type === 'died' ? 'login required' : 'session accepted again';
    if (isNews) onTold(what, { session_version: version, reason: change.reason });
  }

  async #tellFeed(): Promise<void> {
    this.#underWay ??= this.#newReport();
    const report = this.#underWay;
    if (report === undefined) return;
    this.#hasReported = true;
    const isNews = await this.#parts.reports.feedChanged(this.#accountId, report);
    this.#told = troubleIn(report);
    this.#underWay = undefined;
    const { status, ...details } = report;
    if (isNews) this.#parts.onTold(status === 'ok' ? 'account recovered' : 'account degraded', details);
  }

  #newReport(): AccountFeed | undefined {
    const { trouble } = this.#judge;
    const lease = this.#parts.lease();
    const about = trouble ?? this.#told;
    if (about === undefined || lease === undefined || trouble?.reason === this.#told?.reason)
      return undefined;
    const nowMs = this.#parts.clock.nowMs();
    const { subscriptions, unplaced } = this.#parts.feed();
    return {
      status: trouble === undefined ? 'ok' : 'degraded',
      reason: about.reason,
      since: iso(about.sinceMs),
      changed_at: iso(nowMs),
      lease,
      change_id: randomUUID(),
      session_version: this.#session.version,
      subscriptions,
      unplaced,
      market: marketState(nowMs, 'derivatives'),
    };
  }
}

function troubleIn(feed: AccountFeed | undefined): Trouble | undefined {
  if (feed?.status !== 'degraded') return undefined;
  return { reason: feed.reason, sinceMs: Date.parse(feed.since) };
}

const iso = (ms: number) => new Date(ms).toISOString();
