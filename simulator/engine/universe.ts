import { addDays, closeMs, isTradingDay, previousTradingDay } from '#shared/market/calendar.ts';
import { type Instrument, SEGMENT } from '#shared/market/instrument.ts';
import { indexRow, underlyingOf } from '#shared/market/underlyings.ts';
import { BUILTIN_EQUITIES, BUILTIN_INDICES, type BuiltinIndex, VIX } from './builtin-table.ts';
import { type Expiry, listedExpiries, symbolDate } from './expiries.ts';

/** The price of an underlying (`NIFTY`) at a moment: the universe lists strikes around it. */
export type LevelAt = (name: string, ms: number) => number;

const OPTION_TICK = 0.05;
/** Strikes on each side of every close since the listing: nothing that was listed vanishes before it expires. */
const STRIKES_EACH_SIDE = 40;
const LISTED_DAYS = { weekly: 35, monthly: 100 } as const;
/** Tokens: each expiry has a ring slot, each strike of it a place modulo 256, calls even and puts odd. */
const PLACES = 256;
const SLOT_SIZE = PLACES * 2;
const FUTURES_OFFSET = 7 * SLOT_SIZE;

/** The built-in dump of a day: indices, INDIA VIX, shares, futures and options of four indices. */
export function builtinUniverse(day: string, levelAt: LevelAt): Instrument[] {
  return [
    ...BUILTIN_INDICES.map((index) => indexRow(underlyingOf(index.name)!)),
    { ...indexRow({ ...VIX, exchange: 'NSE' }) },
    ...BUILTIN_EQUITIES.map(equityRow),
    ...BUILTIN_INDICES.flatMap((index) => derivatives(index, day, levelAt)),
  ];
}

function equityRow(row: (typeof BUILTIN_EQUITIES)[number]): Instrument {
  const [tradingsymbol, exchange_token, name, , tick_size] = row;
  return {
    instrument_token: (exchange_token << 8) | SEGMENT.NSE,
    exchange_token,
    tradingsymbol,
    name,
    last_price: 0,
    expiry: '',
    strike: 0,
    tick_size,
    lot_size: 1,
    instrument_type: 'EQ',
    segment: 'NSE',
    exchange: 'NSE',
  };
}

function derivatives(index: BuiltinIndex, day: string, levelAt: LevelAt): Instrument[] {
  const exchange = underlyingOf(index.name)!.derivatives_exchange;
  const expiries = listedExpiries(day, index.rule);
  const futures = expiries
    .filter((expiry) => expiry.monthly)
    .map((expiry) => futureRow(index, exchange, expiry));
  const options = expiries.flatMap((expiry) => optionRows(index, exchange, expiry, day, levelAt));
  return [...futures, ...options];
}

function futureRow(index: BuiltinIndex, exchange: 'NFO' | 'BFO', expiry: Expiry): Instrument {
  const exchange_token = index.tokenBase + FUTURES_OFFSET + (expiry.serial % index.rule.monthlies);
  return {
    instrument_token: (exchange_token << 8) | SEGMENT[exchange],
    exchange_token,
    tradingsymbol: `${index.name}${symbolDate(expiry)}FUT`,
    name: index.name,
    last_price: 0,
    expiry: expiry.day,
    strike: 0,
    tick_size: index.futureTick,
    lot_size: index.lot,
    instrument_type: 'FUT',
    segment: `${exchange}-FUT`,
    exchange,
  };
}

function optionRows(
  index: BuiltinIndex,
  exchange: 'NFO' | 'BFO',
  expiry: Expiry,
  day: string,
  levelAt: LevelAt,
): Instrument[] {
  const { name, strikeStep, lot, rule } = index;
  const slot = expiry.monthly
    ? rule.weeklies + (expiry.serial % rule.monthlies)
    : expiry.serial % rule.weeklies;
  const [lowest, highest] = strikePlaces(index, expiry, day, levelAt);
  const rows: Instrument[] = [];
  for (let place = lowest; place <= highest; place++) {
    for (const type of ['CE', 'PE'] as const) {
      const exchange_token =
        index.tokenBase + slot * SLOT_SIZE + (place % PLACES) * 2 + (type === 'PE' ? 1 : 0);
      rows.push({
        instrument_token: (exchange_token << 8) | SEGMENT[exchange],
        exchange_token,
        tradingsymbol: `${name}${symbolDate(expiry)}${place * strikeStep}${type}`,
        name,
        last_price: 0,
        expiry: expiry.day,
        strike: place * strikeStep,
        tick_size: OPTION_TICK,
        lot_size: lot,
        instrument_type: type,
        segment: `${exchange}-OPT`,
        exchange,
      });
    }
  }
  return rows;
}

/** Lowest and highest strike in steps: around every close from the listing until yesterday. */
function strikePlaces(
  index: BuiltinIndex,
  expiry: Expiry,
  day: string,
  levelAt: LevelAt,
): readonly [number, number] {
  const last = Math.round(
    levelAt(index.name, closeMs(previousTradingDay(day), 'derivatives')) / index.strikeStep,
  );
  let lowest = last;
  let highest = last;
  const listed = addDays(expiry.nominal, -LISTED_DAYS[expiry.monthly ? 'monthly' : 'weekly']);
  for (let at = listed; at < day; at = addDays(at, 1)) {
    if (!isTradingDay(at)) continue;
    const place = Math.round(levelAt(index.name, closeMs(at, 'derivatives')) / index.strikeStep);
    lowest = Math.min(lowest, place);
    highest = Math.max(highest, place);
  }
  lowest = Math.max(1, lowest - STRIKES_EACH_SIDE, last - PLACES / 2 + 1);
  return [lowest, Math.min(highest + STRIKES_EACH_SIDE, last + PLACES / 2)];
}
