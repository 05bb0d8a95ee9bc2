import { expect } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import { until } from '#test/support/processes.ts';
import { AccountStory } from './account-story.ts';
import { Fleet, type FleetOutcome } from './fleet.ts';
import type { FleetAws } from './fleet-aws.ts';
import type { FleetAccount } from './fleet-control.ts';

export const WAIT_MS = 30_000;
export const SIX_MS = istMs('2026-08-18', '06:00');
const LAST_EVENING = '2026-08-17T20:00:00+05:30';
/** Short forms of a minute and half a minute. */
const ENV = {
  REPORT_EVERY_MS: '200',
  ACCOUNT_DEGRADED_AFTER_MS: '2500',
  ACCOUNT_RECOVERED_AFTER_MS: '500',
};

/** A fleet of one streamer and one account whose session was made the evening before. */
export class SessionFleet {
  readonly fleet: Fleet;
  readonly account: FleetAccount;
  readonly story: AccountStory;
  #chapter = 0;

  private constructor(fleet: Fleet, account: FleetAccount) {
    this.fleet = fleet;
    this.account = account;
    this.story = new AccountStory(fleet.control.accounts, account.account_id);
  }

  /** @param sessionEnd what the broker does to the links of a session that ends */
  static async open(aws: FleetAws, sessionEnd: 'keep' | 'close'): Promise<SessionFleet> {
    const fleet = await Fleet.start({
      aws,
      name: `session-${sessionEnd}`,
      accounts: 1,
      streamers: 1,
      instruments: 60,
      simulatorArgs: ['--market', 'open', '--now', LAST_EVENING, '--session-end', sessionEnd],
      env: ENV,
    });
    const scene = new SessionFleet(fleet, fleet.accounts[0]!);
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

  async health() {
    const report = await this.streamer.health();
    return report?.accounts.find(({ account_id }) => account_id === this.account.account_id);
  }

  async isUp(version: number): Promise<boolean> {
    const known = await this.health();
    return known?.session === 'ok' && known.session_version === version && known.status === 'ok';
  }

  /** A new login, until the streamer is up with it. @returns its version */
  async login(): Promise<number> {
    const { control } = this.fleet;
    await control.login(this.account);
    const { session_version } = (await control.accounts.get(this.account.account_id))!;
    await until(() => this.isUp(session_version), WAIT_MS, `session ${session_version} to be in use`);
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

  /** Ticks miss only where health said so. */
  expectAccounted({ difference, explained }: FleetOutcome): void {
    expect(difference).toMatchObject({ doubled: 0, invented: 0, disordered: 0 });
    expect(explained.unexplained).toEqual([]);
    expect(this.fleet.reader.told.filter(({ type }) => type === 'hole')).toEqual([]);
    expect(this.fleet.reader.late).toEqual([]);
  }
}
