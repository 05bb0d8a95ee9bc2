import type { Clock } from '#shared/clock.ts';
import { isTrading } from '#shared/market/calendar.ts';
import { within } from '#shared/within.ts';
import type { StreamerLogger } from '../log.ts';
import type { DayGate, GateChange } from './gate.ts';
import { type MarketFacts, MarketLog, marketFacts } from './market.ts';
import { type DumpReader, DumpRegistry } from './registry.ts';
import { TradingDay, type TradingDaySettings } from './trading-day.ts';

export interface DayParts {
  readonly clock: Clock;
  readonly logger: StreamerLogger;
  readonly settings: TradingDaySettings;
  readonly readDump: DumpReader;
}

const FIRST_LOOK_MS = 3_000;

/** The dump in force, as health shows it. */
export interface RegistryFacts {
  readonly day: string;
  readonly version: string;
  readonly instruments: number;
  /** Market time, ISO 8601. */
  readonly refreshed_at: string;
  /** `outdated`: the market is about to open or trades, and this is an older day's dump. */
  readonly status: 'ok' | 'outdated';
}

/** The process's one trading day: market states, the dump in force, and what they let stream. */
export class DayKeeper {
  readonly day: TradingDay;
  readonly registry: DumpRegistry;
  readonly #parts: DayParts;
  readonly #log: MarketLog;
  #ready: Promise<void> | undefined;

  constructor(parts: DayParts) {
    this.#parts = parts;
    this.#log = new MarketLog(parts.logger);
    this.registry = new DumpRegistry(parts.readDump);
    this.day = new TradingDay(parts.clock, this.registry, parts.settings);
  }

  /** Turns the accounts whose feed is silent as well: the others turn with their next frame. */
  look(gates: Iterable<readonly [accountId: string, gate: DayGate]>): void {
    this.#log.look(this.#parts.clock.nowMs());
    for (const [, gate] of gates) gate.follow();
  }

  /** The dump is known, so that nothing streams unchecked, or it cannot be had soon: its loop says why. */
  ready(): Promise<void> {
    this.#ready ??= within(FIRST_LOOK_MS, 'the first look at the dump', this.registry.look()).catch(() => {});
    return this.#ready;
  }

  market(): MarketFacts {
    return marketFacts(this.#parts.clock.nowMs());
  }

  /** Undefined before the first dump was read. */
  registryFacts(): RegistryFacts | undefined {
    const { pointer } = this.registry;
    if (pointer === undefined) return undefined;
    const { day, version, count, refreshed_at } = pointer;
    const market = this.market();
    const isNeeded = market.state === 'pre_open' || isTrading(market.state);
    const status = isNeeded && day < market.day ? 'outdated' : 'ok';
    return { day, version, instruments: count, refreshed_at, status };
  }

  turned(accountId: string, { stopped, resumed, doubted, examples }: GateChange): void {
    const { logger } = this.#parts;
    const details = { account_id: accountId, ...stopped, resumed, doubted, examples };
    if (doubted > 0)
      logger.error(details, 'the dump lacks too much of what streams to be believed: it streams on');
    if (stopped.recycled + stopped.gone + stopped.waiting > 0) {
      logger.warn(details, 'instruments stopped: the day does not let them stream');
    } else if (doubted === 0) logger.info(details, 'the day turned');
  }
}
