import { randomUUID } from 'node:crypto';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { type AwsProxy, startAwsProxy } from '#local/fault-proxy/aws-proxy.ts';
import { type FaultProxy, startFaultProxy } from '#local/fault-proxy/proxy.ts';
import { emulatorEnvironment } from '#local/platform/emulator.ts';
import { type Clock, FollowingClock } from '#shared/clock.ts';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { CHANNEL_OF_KIND } from '#shared/messages/channels.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { createTable } from '#test/support/table.ts';
import { type Difference, differenceOf, type Span } from './compare.ts';
import { type FleetAws, hasEmulator, NO_EMULATOR } from './fleet-aws.ts';
import { FLEET_STAGE, type FleetAccount, FleetControl } from './fleet-control.ts';
import { FleetExchange } from './fleet-exchange.ts';
import { type Explained, explain, type Owner, storyOf } from './fleet-explain.ts';
import { FleetHealthWatch } from './fleet-health.ts';
import { FleetReader } from './fleet-reader.ts';
import { FleetStreamer } from './fleet-streamer.ts';

export interface FleetOptions {
  readonly aws: FleetAws;
  /** Letters and digits: stands in the Redis prefix, account ids and streamer ids. */
  readonly name: string;
  readonly accounts: number;
  readonly streamers: number;
  /** Over all accounts, divided evenly; those near the money first, which tick every second. */
  readonly instruments: number;
  /** Default: the built-in universe, held open. */
  readonly simulatorArgs?: readonly string[];
  /** Variables of every streamer, over ones that suit short tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Short leases: what takes 15 s with the defaults takes 5 s. */
const TEST_ENV = {
  RECONCILE_MARK_MS: '500',
  LEASE_TTL_MS: '4000',
  LEASE_RENEW_MS: '1000',
  LEASE_SAFETY_MS: '500',
  RECONNECT_MAX_MS: '1000',
};
const SETTLE_MS = 60_000;

/** Why no fleet can run here; undefined when it can. */
export function fleetProblem(): string | undefined {
  if (redisServer() === undefined) return NO_REDIS;
  return hasEmulator() ? undefined : NO_EMULATOR;
}

export interface FleetOutcome {
  readonly span: Span;
  readonly difference: Difference;
  readonly explained: Explained;
}

/**
 * One exchange, one Redis, one table, and streamers as real processes, each behind a network of its own to AWS.
 * What the exchange sent is compared with what a reader by the rules has; whatever is missing must be accounted for.
 */
export class Fleet {
  readonly aws: FleetAws;
  readonly name: string;
  readonly table: string;
  readonly exchange: FleetExchange;
  readonly control: FleetControl;
  readonly accounts: FleetAccount[] = [];
  readonly streamers: FleetStreamer[] = [];
  /** AWS as the streamers have it, all of them. */
  readonly awsProxy: AwsProxy;
  /** Every streamer's own way there, in the order of `streamers`. */
  readonly networks: FaultProxy[] = [];
  readonly reader: FleetReader;
  readonly health: FleetHealthWatch;
  redis: OwnProcess;
  readonly #env: Readonly<Record<string, string>>;
  readonly #instruments = new Map<string, Instrument[]>();
  readonly #owners = new Map<number, Owner>();

  private constructor(
    options: FleetOptions,
    parts: Pick<Fleet, 'table' | 'simulator' | 'redis' | 'awsProxy'>,
  ) {
    const { simulator, redis, table, awsProxy } = parts;
    this.exchange = new FleetExchange(simulator, new FollowingClock());
    const { clock } = this.exchange;
    this.awsProxy = awsProxy;
    this.aws = options.aws;
    this.name = options.name;
    this.table = table;
    this.redis = redis;
    this.control = new FleetControl(options.aws, table, clock, simulator.url);
    this.reader = new FleetReader(redis.url, `faults:${options.name}`);
    this.health = new FleetHealthWatch(
      () => this.streamers.filter(({ isRunning }) => isRunning),
      () => clock.nowMs(),
    );
    this.#env = { ...TEST_ENV, ...options.env };
  }

  get simulator(): OwnProcess {
    return this.exchange.simulator;
  }

  /** Market time. */
  get clock(): Clock {
    return this.exchange.clock;
  }

  /** All streamers run, and every instrument was read. What was started is stopped when anything fails. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const table = `fleet-${randomUUID()}`;
    const [simulator, redis, awsProxy] = await Promise.all([
      startSimulatorProcess(options.simulatorArgs ?? ['--market', 'open']),
      startRedisProcess(),
      startAwsProxy({ targetUrl: options.aws.endpointUrl }),
      createTable(options.aws.document, table),
    ]);
    const fleet = new Fleet(options, { table, simulator, redis, awsProxy });
    try {
      await fleet.#populate(options);
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  async #populate({ accounts, streamers, instruments }: FleetOptions): Promise<void> {
    await this.exchange.readClock();
    const all = (await this.exchange.liveFirst()).slice(0, instruments);
    if (all.length < instruments)
      throw new Error(`the simulator has ${all.length} instruments, not ${instruments}`);
    for (let index = 0; index < accounts; index += 1) {
      await this.addAccount(all.filter((_, position) => position % accounts === index));
    }
    for (let index = 0; index < streamers; index += 1) await this.addStreamer();
    await this.settled();
  }

  /** Ends everything the fleet started; harmless twice. */
  async stop(): Promise<void> {
    this.reader.stop();
    await this.health.stop();
    await Promise.all(this.streamers.map((streamer) => streamer.kill()));
    await Promise.all(this.networks.map((network) => network.close()));
    await this.awsProxy.close();
    await Promise.all([this.exchange.stop(), this.redis.stop('SIGKILL')]);
    // Of a table that is gone already nothing is left to tidy.
    await this.aws.document.send(new DeleteTableCommand({ TableName: this.table })).catch(() => {});
  }

  /** An account with a session that streams these instruments, and a tap for them. */
  async addAccount(instruments: readonly Instrument[]): Promise<FleetAccount> {
    const number = this.accounts.length + 1;
    const account: FleetAccount = {
      account_id: `${this.name}-${this.table.slice(6, 12)}-a${number}`,
      user_id: `FLEET${number}`,
      api_key: `fleetkey${number}`,
    };
    this.accounts.push(account);
    await this.control.addAccount(account);
    await this.subscribe(account, instruments);
    return account;
  }

  /** Its row goes; nobody waits for its ticks any more. Returns when no streamer holds it. */
  async deleteAccount(account: FleetAccount): Promise<void> {
    const { account_id } = account;
    await this.control.deleteAccount(account);
    const tokens = this.instrumentsOf(account).map(({ instrument_token }) => instrument_token);
    for (const token of tokens) this.#owners.delete(token);
    await this.exchange.untap(new Set(tokens));
    this.accounts.splice(this.accounts.indexOf(account), 1);
    this.#instruments.delete(account_id);
    const isHeld = async () => {
      const held = await Promise.all(this.streamers.map((streamer) => streamer.held()));
      return held.some((accounts) => accounts.has(account_id));
    };
    await until(async () => !(await isHeld()), SETTLE_MS, `nobody to hold ${account_id}`);
  }

  /** More instruments of an account; the exchange's side of them is read from now on as well. */
  async subscribe(account: FleetAccount, instruments: readonly Instrument[]): Promise<void> {
    const { account_id } = account;
    const held = this.#instruments.get(account_id) ?? [];
    this.#instruments.set(account_id, [...held, ...instruments]);
    for (const each of instruments) {
      this.#owners.set(each.instrument_token, { account_id, channel: CHANNEL_OF_KIND[kindOf(each)] });
    }
    const tokens = instruments.map((each) => each.instrument_token);
    await this.exchange.tap(tokens);
    await this.control.subscribe(account, instruments);
  }

  /** One more streamer, running. */
  async addStreamer(env: Readonly<Record<string, string>> = {}): Promise<FleetStreamer> {
    const network = await startFaultProxy({ targetPort: this.awsProxy.port });
    this.networks.push(network);
    const id = `${this.name}-s${this.streamers.length + 1}`;
    const streamer = new FleetStreamer(id, { ...this.#streamerEnv(network.port), ...env });
    this.streamers.push(streamer);
    await streamer.start();
    return streamer;
  }

  #streamerEnv(awsPort: number): Record<string, string> {
    const { url } = this.simulator;
    return {
      ...emulatorEnvironment(`http://127.0.0.1:${awsPort}`),
      STAGE: FLEET_STAGE,
      TABLE_NAME: this.table,
      REDIS_URL: this.redis.url,
      CHANNEL_PREFIX: this.reader.prefix,
      BROKER_URL: url,
      BROKER_WS_URL: url.replace('http', 'ws'),
      BROKER_LOGIN_URL: `${url}/connect/login`,
      CLOCK_URL: `${url}/_sim/clock`,
      ...this.#env,
    };
  }

  instrumentsOf({ account_id }: FleetAccount): readonly Instrument[] {
    return this.#instruments.get(account_id) ?? [];
  }

  /** The streamer that says it holds the account, while exactly one does. */
  async holderOf({ account_id }: FleetAccount): Promise<FleetStreamer | undefined> {
    const holders = await Promise.all(
      this.streamers.map(async (streamer) => ((await streamer.held()).has(account_id) ? [streamer] : [])),
    );
    const [first, ...others] = holders.flat();
    return others.length === 0 ? first : undefined;
  }

  /** Arms a fault of the simulator's feed or REST for one account. @returns its id */
  fault(
    account: FleetAccount,
    fault: { readonly kind: string; readonly [option: string]: unknown },
  ): Promise<number> {
    return this.exchange.arm({ ...fault, account: account.user_id });
  }

  clearFaults(): Promise<void> {
    return this.exchange.clearFaults();
  }

  /** Moves the exchange's clock, and this process's after it. */
  setClock(clock: Parameters<FleetExchange['setClock']>[0]): Promise<void> {
    return this.exchange.setClock(clock);
  }

  /** Redis dies and is there again, empty, after `awayMs`. */
  async restartRedis(awayMs: number): Promise<void> {
    await this.redis.stop('SIGKILL');
    await new Promise((done) => setTimeout(done, awayMs));
    this.redis = await startRedisProcess({ port: this.redis.port });
  }

  /** Lets something happen, waits until everything streams, and compares all that was sent from before it to after it. */
  async during(happening: () => Promise<void>, timeoutMs = SETTLE_MS): Promise<FleetOutcome> {
    const fromS = await this.#watch(happening);
    return this.compare({ fromS, toS: await this.settled(timeoutMs) });
  }

  /** The same where the exchange sends nothing any more at the end: waits until its last ticks were read. */
  async untilSilent(happening: () => Promise<void>): Promise<FleetOutcome> {
    const fromS = await this.#watch(happening);
    const isRead = () => this.#stale(this.newestSentS()).next().done === true;
    await until(isRead, SETTLE_MS, 'the last ticks');
    return this.compare({ fromS, toS: this.newestSentS() });
  }

  /** @returns the exchange second from which everything counts */
  async #watch(happening: () => Promise<void>): Promise<number> {
    // Of a second that has begun, what was sent already came before whatever happens now.
    const fromS = this.newestSentS();
    this.restartPauses();
    await happening();
    return fromS;
  }

  /** From now on pauses are counted anew, at the reader and at the exchange. */
  restartPauses(): void {
    this.reader.pauses.restart();
    this.exchange.restartPauses();
  }

  /**
   * How much longer than at the exchange an instrument's longest pause was at the reader, ms; not below 0.
   * @param isSilent the exchange's own pause, which goes on, does not count
   */
  gapOf(token: number, isSilent = false): number {
    const nowMs = performance.now();
    const exchangeMs = this.exchange.longestPauseOf(token, isSilent ? 0 : nowMs);
    return Math.max(0, (this.reader.pauses.longestOf(token, nowMs) ?? nowMs) - exchangeMs);
  }

  compare(span: Span): FleetOutcome {
    const difference = differenceOf(this.exchange.sent(), this.reader.read, span);
    const explained = explain(difference.missing, (token) => this.#owners.get(token)!, this);
    return { span, difference, explained };
  }

  /** What was missing and not accounted for, for a person. */
  story(missing: FleetOutcome['explained']['unexplained']): string[] {
    return storyOf(missing, (token) => this.#owners.get(token)!, this);
  }

  /**
   * Waits until every instrument's newest tick was read, as of a whole second that began after now.
   * @returns that exchange second
   */
  async settled(timeoutMs = SETTLE_MS): Promise<number> {
    const startS = this.newestSentS();
    let wholeS = 0;
    const isSettled = () => {
      // A round is sent over most of its second, and read within the next.
      wholeS = this.newestSentS() - 2;
      return (
        this.exchange.quoted === this.#owners.size &&
        wholeS > startS &&
        this.#stale(wholeS).next().done === true
      );
    };
    await until(isSettled, timeoutMs, 'every newest tick').catch(async (error: Error) => {
      const behind = [...this.#stale(wholeS)].map((token) => this.#owners.get(token)!.account_id);
      const byAccount = this.accounts.map(
        ({ account_id }) => `${account_id}: ${behind.filter((each) => each === account_id).length} behind`,
      );
      throw new Error(`${error.message}; ${byAccount.join(', ')}\n${await this.describe()}`);
    });
    return wholeS;
  }

  /** What the streamers say of themselves, for a person who reads a failure. */
  async describe(): Promise<string> {
    const lines = this.streamers.map(async (streamer) => {
      const health = JSON.stringify((await streamer.health())?.accounts ?? 'no answer');
      return `${streamer.id}: ${health}\n${streamer.logLines.slice(-5).join('\n')}`;
    });
    return (await Promise.all(lines)).join('\n');
  }

  newestSentS(): number {
    return this.exchange.newestSentS();
  }

  #stale(toS: number): Generator<number> {
    return this.exchange.stale(this.reader.read, toS);
  }
}
