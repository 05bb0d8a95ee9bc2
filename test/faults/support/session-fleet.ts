import { expect } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { until } from '#test/support/processes.ts';
import { AccountStory } from './account-story.ts';
import { differenceOf, type Span } from './compare.ts';
import { Fleet, type FleetOutcome } from './fleet.ts';
import type { FleetAws } from './fleet-aws.ts';
import type { FleetAccount } from './fleet-control.ts';
import { NOTHING } from './scene.ts';

const IS_FULL = process.env.FULL === '1';
/** Nothing more is told for so long, where nothing more may be told. */
export const QUIET_MS = IS_FULL ? 10_000 : 1_000;
export const WAIT_MS = IS_FULL ? 180_000 : 30_000;
/** Of one test. */
export const SESSION_TIMEOUT_MS = IS_FULL ? 600_000 : 120_000;
export const SIX_MS = istMs('2026-08-18', '06:00');
const LAST_EVENING = '2026-08-17T20:00:00+05:30';
/** Short forms of a minute and half a minute, which are the service's own. */
const SHORT = { ACCOUNT_DEGRADED_AFTER_MS: '2500', ACCOUNT_RECOVERED_AFTER_MS: '500' };
const ENV = { REPORT_EVERY_MS: '200', ...(IS_FULL ? {} : SHORT) };
export const INSTRUMENTS_EACH = 30;

/**
 * A fleet of one streamer and two accounts whose sessions were made the evening before: things happen to the first,
 * and the one beside it has its own links, its own session and its own instruments.
 */
export class SessionFleet {
  readonly fleet: Fleet;
  readonly account: FleetAccount;
  readonly beside: FleetAccount;
  readonly story: AccountStory;
  #chapter = 0;

  private constructor(fleet: Fleet, account: FleetAccount, beside: FleetAccount) {
    this.fleet = fleet;
    this.account = account;
    this.beside = beside;
    this.story = new AccountStory(fleet.control.accounts, account.account_id);
  }

  /** @param sessionEnd what the broker does to the links of a session that ends */
  static async open(aws: FleetAws, sessionEnd: 'keep' | 'close'): Promise<SessionFleet> {
    const fleet = await Fleet.start({
      aws,
      name: `session-${sessionEnd}`,
      accounts: 2,
      streamers: 1,
      instruments: 2 * INSTRUMENTS_EACH,
      simulatorArgs: ['--market', 'open', '--now', LAST_EVENING, '--session-end', sessionEnd],
      env: ENV,
    });
    const [account, beside] = fleet.accounts;
    const scene = new SessionFleet(fleet, account!, beside!);
    try {
      const isWell = async () =>
        scene.story.told.length > 0 && (await scene.isUp(1)) && (await scene.health())?.degraded === null;
      await until(isWell, WAIT_MS, 'the account to stream');
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.story.stop();
    await this.fleet.stop();
  }

  get streamer() {
    return this.fleet.streamers[0]!;
  }

  /** What follows is told from here on. */
  newChapter(): void {
    this.#chapter = this.story.told.length;
  }

  get told(): readonly string[] {
    return this.story.told.slice(this.#chapter);
  }

  /** Exactly this is told in this chapter, once so much is. */
  async toldAll(...expected: string[]): Promise<void> {
    await until(() => this.told.length >= expected.length, WAIT_MS, expected.join(', '));
    expect(this.told).toEqual(expected);
  }

  async health({ account_id } = this.account) {
    const report = await this.streamer.health();
    return report?.accounts.find((each) => each.account_id === account_id);
  }

  async isUp(version: number, account = this.account): Promise<boolean> {
    const known = await this.health(account);
    return known?.session === 'ok' && known.session_version === version && known.status === 'ok';
  }

  /** A new login, until the streamer is up with it. @returns its version */
  async login(account = this.account): Promise<number> {
    const { control } = this.fleet;
    await control.login(account);
    const { session_version } = (await control.accounts.get(account.account_id))!;
    await until(
      () => this.isUp(session_version, account),
      WAIT_MS,
      `session ${session_version} to be in use`,
    );
    return session_version;
  }

  logout(): Promise<void> {
    return this.fleet.control.logout(this.account);
  }

  refusals(): Promise<number> {
    return this.streamer.counter('websocket_reconnects_total', { cause: 'refused_403' });
  }

  /** Sets the exchange's clock; the streamer follows it within half a second and refuses ticks from the future until then. */
  async setClock(nowMs: number): Promise<void> {
    await this.fleet.setClock({ now: nowMs });
    await until(() => this.fleet.newestSentS() * 1_000 >= nowMs, WAIT_MS, 'ticks of the new time');
    await this.fleet.settled();
  }

  /** The first second of which whoever streams by now has everything. */
  async wholeFromS(): Promise<number> {
    const wholeS = this.fleet.newestSentS() + 2;
    await until(() => this.fleet.newestSentS() >= wholeS, WAIT_MS, 'a whole second');
    return wholeS;
  }

  /** Ticks miss only where health, a change of leases or a fold said so. */
  expectAccounted({ difference, explained }: FleetOutcome, doubledAtMost = 0): void {
    expect(difference).toMatchObject({ invented: 0, disordered: 0, stale: 0 });
    expect(difference.doubled).toBeLessThanOrEqual(doubledAtMost);
    expect(explained).toMatchObject({ hole: 0, unexplained: [] });
    expect(this.fleet.reader.told.filter(({ type }) => type === 'hole')).toEqual([]);
    expect(this.fleet.reader.late).toEqual([]);
  }

  /** The account beside has everything that was sent of its instruments, each of which was sent. */
  expectBesideWhole({ fromS, toS }: Span): void {
    const tokens = new Set(this.fleet.instrumentsOf(this.beside).map((each) => each.instrument_token));
    const own = <T>(all: ReadonlyMap<number, T>) => new Map([...all].filter(([token]) => tokens.has(token)));
    const { exchange, reader } = this.fleet;
    const found = differenceOf(own(exchange.sent()), own(reader.read), { fromS, toS });
    expect(found).toMatchObject(NOTHING);
    expect(found.sent).toBeGreaterThanOrEqual(INSTRUMENTS_EACH);
  }
}
