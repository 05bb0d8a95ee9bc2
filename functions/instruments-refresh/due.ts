import { closeMs, isTradingDay, istDay, istMs } from '#shared/market/calendar.ts';
import type { InstrumentPointer } from '#shared/market/instrument-store.ts';

/** The broker's advice for fetching the day's dump (kite.trade/docs/connect/v3/market-quotes). */
const DUMP_TIME = '08:30';

/**
 * Whether the day's dump should be there by now and is not: what was fetched before that hour may be yesterday's and
 * not look it. Nights and holidays need none.
 * @param inForce undefined while there is none
 */
export function isDue(
  inForce: Pick<InstrumentPointer, 'day' | 'refreshed_at'> | undefined,
  nowMs: number,
): boolean {
  const today = istDay(nowMs);
  if (!isTradingDay(today)) return false;
  const sinceMs = istMs(today, DUMP_TIME);
  if (nowMs < sinceMs || nowMs >= closeMs(today, 'derivatives')) return false;
  return inForce === undefined || inForce.day < today || Date.parse(inForce.refreshed_at) < sinceMs;
}
