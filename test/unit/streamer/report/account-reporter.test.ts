import { describe, expect, it } from 'vitest';
import type { Account, AccountFeed } from '#shared/accounts/types.ts';
import { ManualClock } from '#shared/clock.ts';
import { AccountReporter, type FeedView } from '#streamer/report/account-reporter.ts';
import { MemoryReports } from '#test/support/memory-sources.ts';
import { anAccount, NOW_MS } from './an-account.ts';

const WELL: FeedView = { subscriptions: 40, unplaced: 0, hasOpenLink: true };
const AWAY: FeedView = { subscriptions: 40, unplaced: 40, hasOpenLink: false };

const THEIRS: AccountFeed = {
  status: 'degraded',
  reason: 'session',
  since: '2026-08-18T04:00:00.000Z',
  changed_at: '2026-08-18T04:01:00.000Z',
  lease: 6,
  change_id: 'theirs',
  session_version: 3,
  subscriptions: 40,
  unplaced: 40,
  market: 'open',
};

class Desk {
  readonly clock = new ManualClock(NOW_MS);
  readonly reports = new MemoryReports();
  readonly told: string[] = [];
  readonly reporter: AccountReporter;
  view = WELL;
  lease: number | undefined = 7;

  constructor(changes: Partial<Account> = {}) {
    this.reporter = new AccountReporter(
      anAccount(changes),
      { degradedAfterMs: 60_000, recoveredAfterMs: 30_000 },
      {
        clock: this.clock,
        reports: this.reports,
        activations: { tell: async () => {}, told: 0 },
        lease: () => this.lease,
        feed: () => this.view,
        onTold: (what) => this.told.push(what),
      },
    );
  }

  async for(seconds: number, view: FeedView): Promise<void> {
    this.view = view;
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1_000);
      this.reporter.look();
      await this.reporter.tell().catch(() => {});
    }
  }
}

describe('the report on an account', () => {
  it('says once that its feed is away and once that it is back, with what moving it needs', async () => {
    const desk = new Desk();
    await desk.for(200, AWAY);
    await desk.for(200, WELL);
    expect(desk.reports.feeds).toEqual([
      {
        status: 'degraded',
        reason: 'feed',
        since: new Date(NOW_MS + 1_000).toISOString(),
        changed_at: new Date(NOW_MS + 61_000).toISOString(),
        lease: 7,
        change_id: expect.any(String),
        session_version: 3,
        subscriptions: 40,
        unplaced: 40,
        market: 'open',
      },
      expect.objectContaining({ status: 'ok', reason: 'feed', unplaced: 0, market: 'open' }),
    ]);
    const [lost, back] = desk.reports.feeds;
    expect(back!.since).toBe(lost!.since);
    expect(back!.change_id).not.toBe(lost!.change_id);
  });

  it('says once that its token died, and that the account is away for it, links or not', async () => {
    const desk = new Desk();
    desk.reporter.sessionAccepted(3);
    desk.reporter.sessionDied(3);
    await desk.for(100, WELL);
    expect(desk.reports.sessions).toEqual(['primary 3 died refused']);
    expect(desk.reports.feeds.map(({ reason }) => reason)).toEqual(['session']);
    expect(desk.reporter.report).toMatchObject({
      session: 'login_required',
      session_version: 3,
      degraded: { reason: 'session' },
    });
    desk.reporter.accountRead(anAccount({ session_version: 4 }));
    desk.reporter.sessionAccepted(4);
    await desk.for(30, WELL);
    expect(desk.reporter.report).toMatchObject({ session: 'ok', session_version: 4, degraded: null });
    expect(desk.reports.feeds.map(({ status }) => status)).toEqual(['degraded', 'ok']);
    expect(desk.told).toEqual(['login required', 'account degraded', 'account recovered']);
  });

  it('is sent again as it is until the table has answered, and then what happened since', async () => {
    const desk = new Desk();
    desk.reports.failing = true;
    await desk.for(100, AWAY);
    await desk.for(100, WELL);
    expect(desk.reports.feeds).toEqual([]);
    desk.reports.failing = false;
    await desk.for(2, WELL);
    const { attempts, feeds } = desk.reports;
    expect(feeds.map(({ status }) => status)).toEqual(['degraded', 'ok']);
    expect(new Set(attempts.map(({ change_id }) => change_id))).toEqual(
      new Set(feeds.map(({ change_id }) => change_id)),
    );
  });

  it('is not made without the lease', async () => {
    const desk = new Desk();
    desk.lease = undefined;
    await desk.for(100, AWAY);
    expect(desk.reports.attempts).toEqual([]);
  });

  it('that another streamer made ends with its recovery, and is not made twice', async () => {
    const desk = new Desk({ feed: THEIRS });
    await desk.for(100, AWAY);
    expect(desk.reports.feeds).toEqual([]);
    await desk.for(40, WELL);
    expect(desk.reports.feeds).toEqual([
      expect.objectContaining({ status: 'ok', reason: 'session', since: THEIRS.since, lease: 7 }),
    ]);
  });

  it('that another streamer made, and that was read too late, ends with its recovery', async () => {
    const desk = new Desk();
    desk.reporter.accountRead(anAccount({ feed: THEIRS }));
    await desk.for(100, WELL);
    expect(desk.reports.feeds.map(({ status }) => status)).toEqual(['ok']);
    // An index may show what was before.
    desk.reporter.accountRead(anAccount({ feed: THEIRS }));
    await desk.for(100, WELL);
    expect(desk.reports.feeds).toHaveLength(1);
  });

  it('that another streamer ended, which was read too late, is not ended twice', async () => {
    const desk = new Desk({ feed: THEIRS });
    desk.reporter.accountRead(anAccount({ feed: { ...THEIRS, status: 'ok', change_id: 'their end' } }));
    await desk.for(100, WELL);
    expect(desk.reports.feeds).toEqual([]);
  });
});
