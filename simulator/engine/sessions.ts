import {
  addDays,
  istDay,
  istMs,
  type MarketSegment,
  previousTradingDay,
  tradingHours,
} from '#shared/market/calendar.ts';
import type { MarketOverride } from './clock.ts';

/** What a segment of the exchange shows at a moment. */
export interface SessionView {
  /** Whether it trades now. */
  readonly open: boolean;
  /** The moment whose prices it shows, epoch ms: now, or the last close, or the open that the pre-open found. */
  readonly shownMs: number;
  /** No quote carries a later exchange time: in the pre-open, when the price was found. */
  readonly stampMs: number;
  /** When the session shown began: what open, high, low and volume count from. */
  readonly openMs: number;
  /** The session's calendar day in India. */
  readonly day: string;
  /** The close before that session, epoch ms. */
  readonly previousCloseMs: number;
}

/** Order entry of the pre-open ends 09:08; the price it found stands until the open. */
const PRE_OPEN_FOUND = '09:08';

/** A session of the calendar as it stands at `nowMs`. */
export function calendarView(nowMs: number, segment: MarketSegment): SessionView {
  const today = istDay(nowMs);
  const hours = tradingHours(today, segment);
  if (hours !== undefined) {
    const inSession = nowMs >= hours.openMs;
    const foundMs = istMs(today, PRE_OPEN_FOUND);
    if (!inSession && segment === 'cash' && nowMs >= foundMs) {
      return { ...view(today, segment, hours.openMs, hours.openMs, false), stampMs: foundMs };
    }
    if (inSession) {
      const shownMs = Math.min(nowMs, hours.closeMs);
      return view(today, segment, hours.openMs, shownMs, nowMs < hours.closeMs);
    }
  }
  const day = previousTradingDay(today);
  const last = tradingHours(day, segment)!;
  return view(day, segment, last.openMs, last.closeMs, false);
}

/** The same with the market held open or closed by hand. */
export function sessionView(
  nowMs: number,
  segment: MarketSegment,
  override: MarketOverride,
  overriddenAtMs: number,
): SessionView {
  if (override === 'auto') return calendarView(nowMs, segment);
  if (override === 'closed') {
    return { ...calendarView(Math.min(nowMs, overriddenAtMs), segment), open: false };
  }
  const today = istDay(nowMs);
  const morning = istMs(today, '09:15');
  return view(today, segment, nowMs >= morning ? morning : istMs(today, '00:00'), nowMs, true);
}

function view(
  day: string,
  segment: MarketSegment,
  openMs: number,
  shownMs: number,
  open: boolean,
): SessionView {
  const previousCloseMs = tradingHours(previousTradingDay(day), segment)!.closeMs;
  return { open, shownMs, stampMs: shownMs, openMs, day, previousCloseMs };
}

/** Cash segments close before derivatives; everything that is no cash exchange keeps the derivatives' hours. */
export function segmentOfExchange(exchange: string): MarketSegment {
  return exchange === 'NSE' || exchange === 'BSE' ? 'cash' : 'derivatives';
}

/** The day whose dump is in force: until `dumpTime` (IST) it is still yesterday's. */
export function dumpDayAt(nowMs: number, dumpTime: string): string {
  const today = istDay(nowMs);
  return nowMs >= istMs(today, dumpTime) ? today : addDays(today, -1);
}
