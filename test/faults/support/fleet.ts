import { randomUUID } from 'node:crypto';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { type AwsProxy, startAwsProxy } from '#local/fault-proxy/aws-proxy.ts';
import { type FaultProxy, startFaultProxy } from '#local/fault-proxy/proxy.ts';
import { emulatorEnvironment } from '#local/platform/emulator.ts';
import { FollowingClock } from '#shared/clock.ts';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { CHANNEL_OF_KIND } from '#shared/messages/channels.ts';
import { lasting } from '#test/support/lasting.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { simulatorInstruments } from '#test/support/streamer-rig.ts';
import { createTable } from '#test/support/table.ts';
import { type Difference, differenceOf, type Span } from './compare.ts';
import { type FleetAws, hasEmulator, NO_EMULATOR } from './fleet-aws.ts';
import { FLEET_STAGE, type FleetAccount, FleetControl } from './fleet-control.ts';
import { type Explained, explain, type Owner } from './fleet-explain.ts';
import { FleetHealthWatch } from './fleet-health.ts';
import { FleetReader } from './fleet-reader.ts';
import { FleetStreamer } from './fleet-streamer.ts';
import { ExchangeTap, postJson, type Sent } from './sent.ts';
import { timeOf } from './tick-key.ts';

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
/** How far around a missing tick a story looks. */
const STORY_MS = 10_000;

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
  readonly simulator: OwnProcess;
  readonly control: FleetControl;
  readonly clock: FollowingClock;
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
  readonly #taps = new Map<string, ExchangeTap>();

  private constructor(
    options: FleetOptions,
    parts: Pick<Fleet, 'table' | 'simulator' | 'redis' | 'awsProxy'>,
  ) {
    const { simulator, redis, table, awsProxy } = parts;
    const clock = new FollowingClock();
    this.awsProxy = awsProxy;
    this.aws = options.aws;
    this.name = options.name;
    this.table = table;
    this.simulator = simulator;
    this.redis = redis;
    this.clock = clock;
    this.control = new FleetControl(options.aws, table, clock, simulator.url);
    this.reader = new FleetReader(redis.url, `faults:${options.name}`);
    this.health = new FleetHealthWatch(
      () => this.streamers.filter(({ isRunning }) => isRunning),
      () => clock.nowMs(),
    );
    this.#env = { ...TEST_ENV, ...options.env };
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
    await this.readClock();
    const all = (await liveFirst(this.simulator.url, this.clock.nowMs())).slice(0, instruments);
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
    await Promise.all([...this.#taps.values()].map((tap) => tap.close()));
    await Promise.all(this.streamers.map((streamer) => streamer.kill()));
    await Promise.all(this.networks.map((network) => network.close()));
    await this.awsProxy.close();
    await Promise.all([this.simulator.stop(), this.redis.stop('SIGKILL')]);
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
    for (const { instrument_token } of this.instrumentsOf(account)) this.#owners.delete(instrument_token);
    this.accounts.splice(this.accounts.indexOf(account), 1);
    this.#instruments.delete(account_id);
    for (const [user, tap] of this.#taps) {
      if ([...tap.sent.keys()].some((token) => this.#owners.has(token))) continue;
      this.#taps.delete(user);
      await tap.close();
    }
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
    const user = `TAP${this.#taps.size + 1}`;
    this.#taps.set(user, await ExchangeTap.open(this.simulator.url, tokens, user));
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

  /** Everything that the exchange sent, by instrument. */
  sent(): Sent {
    return new Map([...this.#taps.values()].flatMap((tap) => [...tap.sent]));
  }

  /** The streamer that says it holds the account, while exactly one does. */
  async holderOf({ account_id }: FleetAccount): Promise<FleetStreamer | undefined> {
    const holders = await Promise.all(
      this.streamers.map(async (streamer) => ((await streamer.held()).has(account_id) ? [streamer] : [])),
    );
    const [first, ...others] = holders.flat();
    return others.length === 0 ? first : undefined;
  }

  /** Arms a fault of the simulator's feed or REST for one account. */
  async fault(
    account: FleetAccount,
    fault: { readonly kind: string; readonly [option: string]: unknown },
  ): Promise<void> {
    await postJson(`${this.simulator.url}/_sim/faults`, { ...fault, account: account.user_id });
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.simulator.url}/_sim/faults`, { method: 'DELETE' });
  }

  /** Moves the exchange's clock, and this process's after it. */
  async setClock(clock: { readonly now?: number; readonly speed?: number; readonly market?: string }) {
    await postJson(`${this.simulator.url}/_sim/clock`, clock);
    await this.readClock();
  }

  async readClock(): Promise<void> {
    const response = await fetch(`${this.simulator.url}/_sim/clock`);
    const { nowMs, speed } = (await response.json()) as { nowMs: number; speed: number };
    this.clock.set({ nowMs, speed, wallMs: this.clock.wallMs() });
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
    for (const tap of this.#taps.values()) tap.pauses.restart();
  }

  /**
   * How much longer than at the exchange an instrument's longest pause was at the reader, ms; not below 0.
   * @param isSilent the exchange's own pause, which goes on, does not count
   */
  gapOf(token: number, isSilent = false): number {
    const nowMs = performance.now();
    const sent = [...this.#taps.values()].map((tap) => tap.pauses.longestOf(token, isSilent ? 0 : nowMs));
    const [exchangeMs = 0] = sent.filter((longest) => longest !== undefined);
    return Math.max(0, (this.reader.pauses.longestOf(token, nowMs) ?? nowMs) - exchangeMs);
  }

  compare(span: Span): FleetOutcome {
    const difference = differenceOf(this.sent(), this.reader.read, span);
    const explained = explain(difference.missing, (token) => this.#owners.get(token)!, this);
    return { span, difference, explained };
  }

  /** Missing ticks by account, channel and second, and what was told around the first of them: for a person. */
  story(missing: FleetOutcome['explained']['unexplained']): string[] {
    const [first] = missing;
    if (first === undefined) return [];
    const placeOf = ({ token, timeS }: typeof first) => {
      const { account_id, channel } = this.#owners.get(token)!;
      return `${account_id} ${channel} ${new Date(timeS * 1_000).toISOString()}`;
    };
    const places = [...Map.groupBy(missing, placeOf)].map(([place, { length }]) => `${place}: ${length}`);
    const firstMs = first.timeS * 1_000;
    const isNear = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) =>
      fromMs < firstMs + STORY_MS && toMs > firstMs - STORY_MS;
    const near = [...this.reader.told, ...this.reader.leaseChanges, ...this.health.dropped].filter(isNear);
    const quiet = this.accounts.map(
      ({ account_id }) => `${account_id} quiet: ${[...(this.health.quiet.get(account_id) ?? [])].length} s`,
    );
    return [...places.slice(0, 40), ...near.slice(0, 40).map((each) => JSON.stringify(each)), ...quiet];
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
      const quoted = [...this.#taps.values()].reduce((sum, tap) => sum + tap.sent.size, 0);
      return quoted === this.#owners.size && wholeS > startS && this.#stale(wholeS).next().done === true;
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
    let newest = 0;
    for (const tap of this.#taps.values())
      for (const keys of tap.sent.values()) newest = Math.max(newest, timeOf(keys.at(-1) ?? 0));
    return newest;
  }

  /** Instruments whose newest tick up to that second has not been read. */
  *#stale(toS: number): Generator<number> {
    for (const tap of this.#taps.values()) {
      for (const [token, sent] of tap.sent) {
        const wanted = sent.findLast((key) => timeOf(key) <= toS);
        const read = this.reader.read.get(token) ?? [];
        if (wanted !== undefined && read.lastIndexOf(wanted) === -1) yield token;
      }
    }
  }
}

/** NIFTY's index, futures and options nearest to the money, then all other derivatives. */
async function liveFirst(simulatorUrl: string, nowMs: number): Promise<Instrument[]> {
  const all = lasting(await simulatorInstruments(simulatorUrl), nowMs);
  const middle = 25_000;
  const rank = ({ name, instrument_type, segment, strike }: Instrument) => {
    if (name !== 'NIFTY' && segment !== 'INDICES') return Number.MAX_SAFE_INTEGER;
    return instrument_type === 'CE' || instrument_type === 'PE' ? Math.abs(strike - middle) : 0;
  };
  const wanted = all.filter(
    ({ tradingsymbol, segment }) =>
      tradingsymbol === 'NIFTY 50' || segment.endsWith('-OPT') || segment.endsWith('-FUT'),
  );
  return wanted.sort((a, b) => rank(a) - rank(b));
}
