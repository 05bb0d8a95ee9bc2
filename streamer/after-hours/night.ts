import { istDay, type MarketSegment, nextTradingDay, tradingHours } from '#shared/market/calendar.ts';

const SEGMENTS: readonly MarketSegment[] = ['cash', 'derivatives'];

/**
 * When the night that `nowMs` lies in ends: `leadMs` before the next pre-open of any segment; undefined while one of
 * them trades or is about to. Epoch ms of market time.
 */
export function nightEndMs(nowMs: number, leadMs: number): number | undefined {
  const today = istDay(nowMs);
  const session = sessionOf(today, leadMs);
  if (session === undefined || nowMs >= session.toMs) {
    return sessionOf(nextTradingDay(today), leadMs)?.fromMs;
  }
  return nowMs < session.fromMs ? session.fromMs : undefined;
}

/** From the first segment's pre-open, less the lead, to the last one's close; undefined on a day without a session. */
function sessionOf(
  day: string,
  leadMs: number,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  const hours = SEGMENTS.flatMap((segment) => tradingHours(day, segment) ?? []);
  if (hours.length === 0) return undefined;
  return {
    fromMs: Math.min(...hours.map((each) => each.preOpenMs)) - leadMs,
    toMs: Math.max(...hours.map((each) => each.closeMs)),
  };
}

/** Of the way back to the last real prices, the part at its end in which they are held. */
const HELD_PART = 0.1;

/** How much of its band a synthetic price may use: 1, and in the last `returnMs` of the night ever less, down to 0. */
export function freedomAt(nowMs: number, endMs: number, returnMs: number): number {
  const left = (endMs - nowMs) / returnMs;
  return Math.min(1, Math.max(0, (left - HELD_PART) / (1 - HELD_PART)));
}
