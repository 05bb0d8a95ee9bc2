import { istDay } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Candle, Market, Quote, ReplayState } from '#simulator/contracts.ts';
import { candlesOf } from './candles.ts';
import { SimClock } from './clock.ts';
import { loadDumps, withoutExpired } from './dump.ts';
import { MarketInputError } from './input.ts';
import { MarketHours, segmentOfInstrument } from './market-hours.ts';
import { createModel } from './models.ts';
import { QuoteMaker } from './quotes.ts';
import { contractKey, loadRecording, type Recording } from './recording.ts';
import { dumpDayAt, segmentOfExchange } from './sessions.ts';
import { DEFAULT_ROUND_MS, type QuoteListener, Ticker } from './ticker.ts';
import { UnderlyingBook } from './underlyings.ts';
import { builtinUniverse } from './universe.ts';

/** How the simulated exchange starts. Everything has a default: none given is the built-in universe at the real time. */
export interface MarketOptions {
  /** Same seed, same market: prices, books and candles of every day. */
  readonly seed?: number;
  /** Epoch ms that the market's clock shows at the start; default the machine's time, or the replay's first minute. */
  readonly nowMs?: number;
  /** Market seconds a wall second; 0 stands still until set. Default 1. */
  readonly speed?: number;
  readonly market?: 'open' | 'closed' | 'auto';
  /** Instrument dumps (csv or csv.gz) instead of the built-in universe. */
  readonly instrumentFiles?: readonly string[];
  /** A recorded chain (csv or csv.gz). */
  readonly replayFile?: string;
  /** When the new day's dump replaces yesterday's, IST `hh:mm`; default 08:00. */
  readonly dumpTime?: string;
  /** Wall time in which every watched instrument is looked at once: a tick each at most; default 1,000. */
  readonly roundMs?: number;
}

const PASS_EVERY_MS = 25;
const DEFAULT_DUMP_TIME = '08:00';

/**
 * @throws MarketInputError when a file cannot be read or is not what it should be; the message names file and column or line.
 */
export async function createMarket(options: MarketOptions = {}): Promise<SimulatedMarket> {
  checkOptions(options);
  const recording = options.replayFile === undefined ? undefined : loadRecording(options.replayFile);
  const files = options.instrumentFiles ?? [];
  return new SimulatedMarket(options, files.length > 0 ? loadDumps(files) : undefined, recording);
}

function checkOptions({ dumpTime = DEFAULT_DUMP_TIME, roundMs = DEFAULT_ROUND_MS }: MarketOptions): void {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(dumpTime)) {
    throw new MarketInputError(`dumpTime must be hh:mm, got "${dumpTime}"`);
  }
  if (!(roundMs >= PASS_EVERY_MS)) {
    throw new MarketInputError(`roundMs must be at least ${PASS_EVERY_MS}, got ${roundMs}`);
  }
}

export class SimulatedMarket implements Market {
  readonly clock: SimClock;
  readonly #seed: number;
  readonly #dumpTime: string;
  readonly #files: readonly Instrument[] | undefined;
  readonly #recording: Recording | undefined;
  readonly #book: UnderlyingBook;
  readonly #hours: MarketHours;
  readonly #ticker: Ticker;
  readonly #timer: NodeJS.Timeout;
  readonly #newDump = new Set<(day: string) => void>();
  #dumpDay: string;
  #instruments: readonly Instrument[] = [];
  #byToken = new Map<number, Instrument>();
  #bySymbol = new Map<string, Instrument>();
  #makers = new Map<number, QuoteMaker>();

  /** `files`: the rows of the given dumps; undefined: the built-in universe. */
  constructor(
    options: MarketOptions,
    files: readonly Instrument[] | undefined,
    recording: Recording | undefined,
  ) {
    const nowMs = options.nowMs ?? recording?.fromMs;
    this.clock = new SimClock({
      ...(nowMs === undefined ? {} : { nowMs }),
      ...(options.speed === undefined ? {} : { speed: options.speed }),
      ...(options.market === undefined ? {} : { market: options.market }),
      ...(recording === undefined ? {} : { slowDownAtMs: recording.toMs }),
    });
    this.#seed = options.seed ?? 1;
    this.#dumpTime = options.dumpTime ?? DEFAULT_DUMP_TIME;
    this.#files = files;
    this.#recording = recording;
    this.#book = new UnderlyingBook(this.#seed, files ?? [], recording);
    this.#hours = new MarketHours(this.clock);
    this.#ticker = new Ticker(
      (token, atMs) => this.#quoteAt(token, atMs),
      options.roundMs ?? DEFAULT_ROUND_MS,
    );
    this.#dumpDay = dumpDayAt(this.clock.nowMs(), this.#dumpTime);
    this.#load(files ?? this.#builtin());
    this.#timer = setInterval(() => this.pass(), PASS_EVERY_MS);
    this.#timer.unref();
  }

  get dumpDay(): string {
    return this.#dumpDay;
  }

  get replay(): ReplayState | undefined {
    const recording = this.#recording;
    if (recording === undefined) return undefined;
    const { file, fromMs, toMs, contracts } = recording;
    const listed = this.#instruments.filter(({ name }) => name === recording.name);
    const keys = new Set(listed.map((i) => contractKey(i.expiry, i.strike, i.instrument_type)));
    const unmatched = [...contracts.keys()].filter((key) => !keys.has(key)).length;
    return { file, fromMs, toMs, contracts: contracts.size, unmatched };
  }

  instruments(): readonly Instrument[] {
    return this.#instruments;
  }

  byToken(instrumentToken: number): Instrument | undefined {
    return this.#byToken.get(instrumentToken);
  }

  bySymbol(exchange: string, tradingsymbol: string): Instrument | undefined {
    return this.#bySymbol.get(`${exchange}:${tradingsymbol}`);
  }

  quote(instrumentToken: number): Quote | undefined {
    return this.#quoteAt(instrumentToken, this.clock.nowMs());
  }

  isOpen(exchange: string): boolean {
    return this.#hours.view(segmentOfExchange(exchange), this.clock.nowMs()).open;
  }

  watch(instrumentToken: number, listener: QuoteListener): () => void {
    return this.#ticker.watch(instrumentToken, this.clock.nowMs(), listener);
  }

  afterPass(listener: () => void): () => void {
    return this.#ticker.afterPass(listener);
  }

  onNewDump(listener: (day: string) => void): () => void {
    this.#newDump.add(listener);
    return () => this.#newDump.delete(listener);
  }

  candles(instrumentToken: number, intervalMinutes: number, fromMs: number, toMs: number): Candle[] {
    const model = this.#makerOf(instrumentToken)?.model;
    if (model === undefined) return [];
    const view = this.#hours.view(segmentOfInstrument(model.instrument), this.clock.nowMs());
    return candlesOf(model, intervalMinutes, fromMs, toMs, view);
  }

  /** One step of the market's own timer: the day's dump, then what is due of the watched instruments. */
  pass(): void {
    const nowMs = this.clock.nowMs();
    const day = dumpDayAt(nowMs, this.#dumpTime);
    if (day !== this.#dumpDay) this.#changeDay(day);
    this.#ticker.pass(nowMs, this.clock.wallMs(), this.clock.speed);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #changeDay(day: string): void {
    this.#dumpDay = day;
    this.#load(this.#files === undefined ? this.#builtin() : withoutExpired(this.#files, day));
    for (const listener of this.#newDump) listener(day);
  }

  #builtin(): Instrument[] {
    return builtinUniverse(this.#dumpDay, (name, ms) => this.#book.levelAt(name, ms));
  }

  #load(instruments: readonly Instrument[]): void {
    this.#instruments = instruments;
    this.#byToken = new Map(instruments.map((instrument) => [instrument.instrument_token, instrument]));
    this.#bySymbol = new Map(instruments.map((i) => [`${i.exchange}:${i.tradingsymbol}`, i]));
    this.#makers = new Map();
  }

  #quoteAt(token: number, atMs: number): Quote | undefined {
    const maker = this.#makerOf(token);
    if (maker === undefined) return undefined;
    const { instrument } = maker.model;
    if (instrument.expiry !== '' && instrument.expiry < istDay(atMs)) return undefined;
    return maker.quote(this.#hours.view(segmentOfInstrument(instrument), atMs));
  }

  #makerOf(token: number): QuoteMaker | undefined {
    let maker = this.#makers.get(token);
    if (maker !== undefined) return maker;
    const instrument = this.#byToken.get(token);
    if (instrument === undefined) return undefined;
    maker = new QuoteMaker(
      createModel(instrument, { seed: this.#seed, book: this.#book, recording: this.#recording }),
    );
    this.#makers.set(token, maker);
    return maker;
  }
}
