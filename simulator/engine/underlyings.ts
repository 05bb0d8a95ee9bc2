import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { UNDERLYINGS } from '#shared/market/underlyings.ts';
import { nameSeed, uniform } from '#shared/random.ts';
import { ANCHOR_DAY, BUILTIN_EQUITIES, BUILTIN_INDICES, VIX } from './builtin-table.ts';
import { PricePath } from './path.ts';
import { SpotPrices } from './prices.ts';
import type { Recording } from './recording.ts';

/** Where and when a path starts: rupees at epoch ms. */
interface Anchor {
  readonly ms: number;
  readonly price: number;
}

const INDEX_TICK = 0.05;
const SHARE_DAILY_VOLATILITY = 0.013;
const INDEX_DAILY_VOLATILITY = 0.0085;
const PULL = 0.003;
const VIX_DAILY_VOLATILITY = 0.045;
const VIX_PULL = 0.06;
const OPTIONS_OVER_REALISED = 1.15;
const TRADING_DAYS = 250;

/** The paths of everything that others are priced from, each made when first asked for. */
export class UnderlyingBook {
  readonly #seed: number;
  readonly #recording: Recording | undefined;
  readonly #anchors: ReadonlyMap<string, Anchor>;
  readonly #spots = new Map<string, SpotPrices>();

  constructor(seed: number, dump: readonly Instrument[], recording: Recording | undefined) {
    this.#seed = seed;
    this.#recording = recording;
    this.#anchors = dumpAnchors(dump);
  }

  /** The prices of an index (`NIFTY`, `INDIA VIX`) or a share (its symbol), under the name its derivatives carry. */
  spot(name: string): SpotPrices {
    let spot = this.#spots.get(name);
    if (spot === undefined) {
      spot = this.#make(name);
      this.#spots.set(name, spot);
    }
    return spot;
  }

  levelAt(name: string, ms: number): number {
    return this.spot(name).markAt(ms);
  }

  /** At-the-money volatility of an underlying's options, a fraction a year. */
  volatility(name: string): (minuteMs: number) => number {
    const vix = this.spot(VIX.tradingsymbol);
    const index = BUILTIN_INDICES.find((candidate) => candidate.name === name);
    const factor = index?.vixFactor ?? (isIndex(name) ? 1.1 : shareFactor(this.#seed, name));
    return (minuteMs) => (vix.markAt(minuteMs) / 100) * factor;
  }

  #make(name: string): SpotPrices {
    const recording = this.#recording?.name === name ? this.#recording : undefined;
    const anchor = this.#anchorOf(name, recording);
    const seed = nameSeed(this.#seed, name);
    const path = new PricePath({
      seed,
      anchorMs: anchor.ms,
      anchorPrice: anchor.price,
      dailyVolatility: dailyVolatility(name),
      pull: name === VIX.tradingsymbol ? VIX_PULL : PULL,
    });
    return new SpotPrices(seed, path, tickOf(name), recording);
  }

  #anchorOf(name: string, recording: Recording | undefined): Anchor {
    if (recording !== undefined) return { ms: recording.fromMs, price: recording.spot[0]! };
    const known = this.#anchors.get(name);
    if (known !== undefined) return known;
    return { ms: istMs(ANCHOR_DAY, '09:15'), price: tableLevel(name) ?? guessedLevel(this.#seed, name) };
  }
}

/** The name under which an index's or share's prices are kept: that of its derivatives. */
export function spotName(instrument: Instrument): string {
  const { exchange, tradingsymbol } = instrument;
  const underlying = UNDERLYINGS.find((u) => u.exchange === exchange && u.tradingsymbol === tradingsymbol);
  return underlying?.name ?? tradingsymbol;
}

function isIndex(name: string): boolean {
  return UNDERLYINGS.some((underlying) => underlying.name === name);
}

function dailyVolatility(name: string): number {
  if (name === VIX.tradingsymbol) return VIX_DAILY_VOLATILITY;
  const index = BUILTIN_INDICES.find((candidate) => candidate.name === name);
  return index?.dailyVolatility ?? (isIndex(name) ? INDEX_DAILY_VOLATILITY : SHARE_DAILY_VOLATILITY);
}

/** A share's options stand a little above what it realises, as a multiple of INDIA VIX. */
function shareFactor(seed: number, name: string): number {
  const annual = SHARE_DAILY_VOLATILITY * Math.sqrt(TRADING_DAYS) * OPTIONS_OVER_REALISED;
  return (annual / (VIX.level / 100)) * (0.85 + 0.3 * uniform(nameSeed(seed, name), 41));
}

function tickOf(name: string): number {
  if (name === VIX.tradingsymbol) return VIX.tick;
  return BUILTIN_EQUITIES.find((row) => row[0] === name)?.[4] ?? INDEX_TICK;
}

function tableLevel(name: string): number | undefined {
  if (name === VIX.tradingsymbol) return VIX.level;
  const index = BUILTIN_INDICES.find((candidate) => candidate.name === name);
  return index?.level ?? BUILTIN_EQUITIES.find((row) => row[0] === name)?.[3];
}

/** What no table knows: a sector index between 3,000 and 30,000; a bond or small share between 30 and 3,000 rupees. */
function guessedLevel(seed: number, name: string): number {
  const place = uniform(nameSeed(seed, name), 42);
  return name.startsWith('NIFTY') ? 3_000 * 10 ** place : 30 * 100 ** place;
}

/** A dump tells its day by its first expiry and each underlying's level by the middle of that expiry's strikes. */
function dumpAnchors(dump: readonly Instrument[]): Map<string, Anchor> {
  const nearest = new Map<string, { expiry: string; strikes: number[] }>();
  for (const { instrument_type, name, expiry, strike } of dump) {
    if (instrument_type !== 'CE') continue;
    const known = nearest.get(name);
    if (known === undefined || expiry < known.expiry) nearest.set(name, { expiry, strikes: [strike] });
    else if (expiry === known.expiry) known.strikes.push(strike);
  }
  const days = [...nearest.values()].map(({ expiry }) => expiry).sort();
  const anchors = new Map<string, Anchor>();
  for (const [name, { strikes }] of nearest) {
    strikes.sort((a, b) => a - b);
    anchors.set(name, { ms: istMs(days[0]!, '09:15'), price: strikes[strikes.length >> 1]! });
  }
  return anchors;
}
