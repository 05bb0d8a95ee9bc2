import { HOLIDAYS, HOLIDAYS_KNOWN_UNTIL_YEAR } from './holidays.ts';

/** India has one time zone and no daylight saving: UTC+05:30 all year. */
export const IST_OFFSET_MS = 19_800_000;
const DAY_MS = 86_400_000;

/** The calendar day in India, `yyyy-mm-dd`. */
export function istDay(epochMs: number): string {
  return new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 10);
}

/** `yyyy-mm-dd hh:mm:ss` in India: the broker's own form. */
export function istDateTime(epochMs: number): string {
  return new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** Epoch ms of a day (`yyyy-mm-dd`) and a time (`hh:mm` or `hh:mm:ss`) in India. */
export function istMs(day: string, time: string): number {
  return Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}Z`) - IST_OFFSET_MS;
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** 0 is Sunday. */
export function weekday(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay();
}

/** Where it does not, weekdays on which nobody trades count as trading days. */
export function knowsHolidays(day: string): boolean {
  return Number(day.slice(0, 4)) <= HOLIDAYS_KNOWN_UNTIL_YEAR;
}

export function isTradingDay(day: string): boolean {
  const dayOfWeek = weekday(day);
  return dayOfWeek !== 0 && dayOfWeek !== 6 && !HOLIDAYS.has(day);
}

export function previousTradingDay(day: string): string {
  let candidate = addDays(day, -1);
  while (!isTradingDay(candidate)) candidate = addDays(candidate, -1);
  return candidate;
}

export function nextTradingDay(day: string): string {
  let candidate = addDays(day, 1);
  while (!isTradingDay(candidate)) candidate = addDays(candidate, 1);
  return candidate;
}

export type MarketSegment = 'cash' | 'derivatives';

/** First day with the closing auction: cash ends 15:35 and derivatives 15:40 instead of 15:30. */
const LATER_CLOSE_SINCE = '2026-08-03';

/** The trading hours of one day, epoch ms. Order entry of the pre-open is 09:00-09:08. */
export interface TradingHours {
  readonly preOpenMs: number;
  readonly openMs: number;
  /** From here on trades and orders make the day's closing price. */
  readonly closingMs: number;
  readonly closeMs: number;
}

/** Close of a day as if it traded: what an expiry's time to live is counted to. */
export function closeMs(day: string, segment: MarketSegment): number {
  if (day < LATER_CLOSE_SINCE) return istMs(day, '15:30');
  return istMs(day, segment === 'cash' ? '15:35' : '15:40');
}

/**
 * Since 3 Aug 2026 a closing auction in cash (15:15-15:35), and in derivatives the average of 15:10-15:40, while they
 * trade on; before, in both, the average of the last half hour. Exchange circulars.
 */
function closingMs(day: string, segment: MarketSegment): number {
  if (day < LATER_CLOSE_SINCE) return istMs(day, '15:00');
  return istMs(day, segment === 'cash' ? '15:15' : '15:10');
}

/** Undefined on a weekend or a holiday. */
export function tradingHours(day: string, segment: MarketSegment): TradingHours | undefined {
  if (!isTradingDay(day)) return undefined;
  return {
    preOpenMs: istMs(day, '09:00'),
    openMs: istMs(day, '09:15'),
    closingMs: closingMs(day, segment),
    closeMs: closeMs(day, segment),
  };
}

/** `closing`: the market trades, and what trades makes the closing price. `holiday`: the whole day, weekends too. */
export const MARKET_STATES = ['holiday', 'closed', 'pre_open', 'open', 'closing'] as const;
export type MarketState = (typeof MARKET_STATES)[number];

export function marketState(epochMs: number, segment: MarketSegment): MarketState {
  const hours = tradingHours(istDay(epochMs), segment);
  if (hours === undefined) return 'holiday';
  if (epochMs < hours.preOpenMs || epochMs >= hours.closeMs) return 'closed';
  if (epochMs < hours.openMs) return 'pre_open';
  return epochMs < hours.closingMs ? 'open' : 'closing';
}

/** Whether a market in this state trades. */
export function isTrading(state: MarketState): boolean {
  return state === 'open' || state === 'closing';
}

/** The next moment at which the state is another one, epoch ms. */
export function nextStateMs(epochMs: number, segment: MarketSegment): number {
  const state = marketState(epochMs, segment);
  const turns = upcomingTurns(epochMs, segment);
  return turns.find((turnMs) => marketState(turnMs, segment) !== state)!;
}

/** Every moment until the next trading day's pre-open at which the state may turn. */
function upcomingTurns(epochMs: number, segment: MarketSegment): number[] {
  const today = istDay(epochMs);
  const turns: number[] = [];
  for (let day = today; day <= nextTradingDay(today); day = addDays(day, 1)) {
    const hours = tradingHours(day, segment);
    turns.push(istMs(day, '00:00'), ...(hours === undefined ? [] : Object.values(hours)));
  }
  return turns.filter((turnMs) => turnMs > epochMs);
}

/** When a derivative stops trading: the close of its expiry day. */
export function expiryMs(expiry: string): number {
  return closeMs(expiry, 'derivatives');
}
