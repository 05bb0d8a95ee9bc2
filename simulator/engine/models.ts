import { expiryMs } from '#shared/market/calendar.ts';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { nameSeed, uniform } from '#shared/random.ts';
import {
  type Activity,
  type DayExpectation,
  ModelActivity,
  periodSeconds,
  RecordedActivity,
} from './activity.ts';
import { BUILTIN_INDICES } from './builtin-table.ts';
import { istDayNumber, istMidnightMs } from './path.ts';
import { FuturePrices, OptionPrices, type PriceSource, RecordedPrices, type SpotPrices } from './prices.ts';
import { contractKey, type RecordedContract, type Recording } from './recording.ts';
import { spotName, type UnderlyingBook } from './underlyings.ts';

/** All that makes one instrument's market: prices, and for what trades volume and open interest. */
export interface InstrumentModel {
  readonly instrument: Instrument;
  readonly seed: number;
  readonly prices: PriceSource;
  /** Undefined for an index. */
  readonly activity: Activity | undefined;
  /** Time between two trades on that day; divides a minute. */
  periodMs(dayNumber: number): number;
  /** When it stops for good, epoch ms; undefined for what does not expire. */
  readonly endsMs: number | undefined;
}

export interface ModelOptions {
  readonly seed: number;
  readonly book: UnderlyingBook;
  readonly recording: Recording | undefined;
}

const FUTURE_VOLUME_SHARE = 0.15;
const SHARE_TURNOVER_RUPEES = 4e9;
const OTHER_OPTION_VOLUME_LOTS = 2_000;
const YEAR_DAYS = 365;

export function createModel(instrument: Instrument, options: ModelOptions): InstrumentModel {
  const seed = nameSeed(options.seed, `${instrument.exchange}:${instrument.tradingsymbol}`);
  const kind = kindOf(instrument);
  if (kind === 'underlying' || kind === 'equity') return spotModel(instrument, seed, options);
  const spot = options.book.spot(instrument.name);
  const recorded = recordedContract(instrument, options.recording);
  return derivative(instrument, seed, options, spot, recorded);
}

/** The recording's contract of this instrument, joined by name, expiry, strike and type. */
export function recordedContract(
  instrument: Instrument,
  recording: Recording | undefined,
): RecordedContract | undefined {
  if (recording === undefined || instrument.name !== recording.name) return undefined;
  const { expiry, strike, instrument_type } = instrument;
  return recording.contracts.get(contractKey(expiry, strike, instrument_type));
}

function spotModel(instrument: Instrument, seed: number, { book }: ModelOptions): InstrumentModel {
  const name = spotName(instrument);
  const prices = book.spot(name);
  const index = instrument.segment === 'INDICES';
  const activity = index
    ? undefined
    : new ModelActivity(seed, 1, (day) => ({
        volume: (SHARE_TURNOVER_RUPEES * size(seed)) / prices.markAt(istMidnightMs(day)),
        oi: 0,
      }));
  return model(instrument, seed, prices, activity, undefined);
}

function derivative(
  instrument: Instrument,
  seed: number,
  { book, recording }: ModelOptions,
  spot: SpotPrices,
  recorded: RecordedContract | undefined,
): InstrumentModel {
  const endsMs = expiryMs(instrument.expiry);
  const volatility = book.volatility(instrument.name);
  const terms = {
    ...instrument,
    type: instrument.instrument_type === 'PE' ? 'PE' : 'CE',
    tick: tickOf(instrument),
  } as const;
  const priced =
    instrument.instrument_type === 'FUT'
      ? new FuturePrices(spot, instrument.expiry, tickOf(instrument))
      : new OptionPrices(terms, spot, volatility, recorded?.iv);
  const modelled = new ModelActivity(
    seed,
    instrument.lot_size,
    expectation(instrument, seed, spot, volatility),
  );
  if (recorded === undefined || recording === undefined)
    return model(instrument, seed, priced, modelled, endsMs);
  const prices = new RecordedPrices(recording, recorded, priced);
  return model(instrument, seed, prices, new RecordedActivity(recording, recorded, modelled), endsMs);
}

function model(
  instrument: Instrument,
  seed: number,
  prices: PriceSource,
  activity: Activity | undefined,
  endsMs: number | undefined,
): InstrumentModel {
  const periodMs = (day: number) =>
    activity === undefined ? 1000 : periodSeconds(activity.lotsOn(day)) * 1000;
  return { instrument, seed, prices, activity, endsMs, periodMs };
}

function tickOf(instrument: Instrument): number {
  return instrument.tick_size > 0 ? instrument.tick_size : 0.05;
}

/** Most trades fall near the money and near the expiry; far strikes see a few lots a day. */
function expectation(
  instrument: Instrument,
  seed: number,
  spot: SpotPrices,
  volatility: (ms: number) => number,
): DayExpectation {
  const lot = Math.max(1, instrument.lot_size);
  const table = BUILTIN_INDICES.find((index) => index.name === instrument.name);
  const base = table?.optionVolume ?? lot * OTHER_OPTION_VOLUME_LOTS;
  const endDay = istDayNumber(expiryMs(instrument.expiry));
  return (day) => {
    const midnight = istMidnightMs(day);
    const days = Math.max(0, endDay - day);
    const nearness = 6 * Math.exp(-days / 4) + 0.5 * Math.exp(-days / 30);
    const money = instrument.instrument_type === 'FUT' ? FUTURE_VOLUME_SHARE : moneyness();
    const volume = base * nearness * money * size(seed);
    return {
      volume: volume + lot * 4,
      oi: base * (0.2 + Math.exp(-days / 20)) * money * size(seed ^ 1) + lot * 20,
    };

    function moneyness(): number {
      const level = spot.markAt(midnight);
      const deviation = volatility(midnight) * Math.sqrt(Math.max(1, days) / YEAR_DAYS);
      const z = Math.log(instrument.strike / level) / deviation;
      return Math.exp(-0.3 * Math.min(36, z * z));
    }
  };
}

/** Log-normal sizes: no two instruments are equally liked. */
function size(seed: number): number {
  return Math.exp((uniform(seed, 51) + uniform(seed, 52) - 1) * 1.2);
}
