import { addDays, isTradingDay, istDay, istMs, tradingHours, weekday } from '#shared/market/calendar.ts';
import type { Candle } from '#simulator/contracts.ts';
import { segmentOfInstrument } from './market-hours.ts';
import type { InstrumentModel } from './models.ts';
import { istDayNumber, MINUTE_MS } from './path.ts';
import type { PriceSource } from './prices.ts';
import type { SessionView } from './sessions.ts';
import { minutePoints, Tape } from './tape.ts';

export const DAY_MINUTES = 1_440;
export const WEEK_MINUTES = 7 * DAY_MINUTES;
/** A contract has no past before its listing. */
const LISTED_DAYS = 100;

/** A stretch of one session: from its open to its close or to now. */
interface Stretch {
  readonly openMs: number;
  readonly endMs: number;
}

/**
 * Candles of the model's own past with `fromMs <= startMs <= toMs`, oldest first; the running one ends now.
 * Intraday candles start at the session's open, days at midnight and weeks on Monday, all in India.
 */
export function candlesOf(
  model: InstrumentModel,
  intervalMinutes: number,
  fromMs: number,
  toMs: number,
  view: SessionView,
): Candle[] {
  const candles: Candle[] = [];
  const firstDay = intervalMinutes >= WEEK_MINUTES ? monday(istDay(fromMs)) : istDay(fromMs);
  for (
    let day = later(firstDay, listedFrom(model));
    day <= earlier(istDay(toMs), view.day);
    day = addDays(day, 1)
  ) {
    const stretch = stretchOf(day, model, view);
    if (stretch === undefined) continue;
    for (const minute of minutesOf(model, stretch))
      merge(candles, minute, startOf(minute, stretch, day, intervalMinutes));
  }
  return candles.filter((candle) => candle.startMs >= fromMs && candle.startMs <= toMs);
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

function monday(day: string): string {
  return addDays(day, -((weekday(day) + 6) % 7));
}

function listedFrom(model: InstrumentModel): string {
  return model.endsMs === undefined ? '2015-01-01' : addDays(model.instrument.expiry, -LISTED_DAYS);
}

function stretchOf(day: string, model: InstrumentModel, view: SessionView): Stretch | undefined {
  const endsMs = model.endsMs ?? Number.POSITIVE_INFINITY;
  if (day === view.day) return { openMs: view.openMs, endMs: Math.min(view.shownMs, endsMs) };
  if (!isTradingDay(day)) return undefined;
  const { openMs, closeMs } = tradingHours(day, segmentOfInstrument(model.instrument))!;
  return { openMs, endMs: Math.min(closeMs, endsMs) };
}

function* minutesOf(model: InstrumentModel, { openMs, endMs }: Stretch): Generator<Candle> {
  const { prices, activity } = model;
  const periodMs = model.periodMs(istDayNumber(openMs));
  let volume = 0;
  for (let startMs = openMs; startMs <= endMs; startMs += MINUTE_MS) {
    const untilMs = Math.min(startMs + MINUTE_MS, endMs);
    if (untilMs === startMs && startMs !== openMs) return;
    const whole = untilMs - startMs === MINUTE_MS;
    const [open, ...rest] = whole
      ? minutePoints(prices, startMs, periodMs)
      : runningPoints(prices, periodMs, startMs, untilMs);
    const done = activity?.volumeAt(untilMs, openMs) ?? 0;
    yield {
      startMs,
      open: open!,
      high: Math.max(open!, ...rest),
      low: Math.min(open!, ...rest),
      close: rest.at(-1) ?? open!,
      volume: done - volume,
      oi: activity?.oiAt(untilMs) ?? 0,
    };
    volume = done;
  }
}

/** The trades of a minute that is not over. */
function runningPoints(prices: PriceSource, periodMs: number, startMs: number, untilMs: number): number[] {
  const tape = new Tape(prices);
  const points: number[] = [];
  for (let ms = startMs; ms <= untilMs; ms += periodMs) points.push(tape.priceAt(ms));
  return points;
}

function startOf(minute: Candle, { openMs }: Stretch, day: string, intervalMinutes: number): number {
  if (intervalMinutes >= WEEK_MINUTES) return istMs(monday(day), '00:00');
  if (intervalMinutes >= DAY_MINUTES) return istMs(day, '00:00');
  const intervalMs = intervalMinutes * MINUTE_MS;
  return openMs + Math.floor((minute.startMs - openMs) / intervalMs) * intervalMs;
}

/** Adds a minute to the candle that began at `startMs`, which is the last one or a new one. */
function merge(candles: Candle[], minute: Candle, startMs: number): void {
  const last = candles.at(-1);
  if (last?.startMs !== startMs) {
    candles.push({ ...minute, startMs });
    return;
  }
  candles[candles.length - 1] = {
    startMs,
    open: last.open,
    high: Math.max(last.high, minute.high),
    low: Math.min(last.low, minute.low),
    close: minute.close,
    volume: last.volume + minute.volume,
    oi: minute.oi,
  };
}
