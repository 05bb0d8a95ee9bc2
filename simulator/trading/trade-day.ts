import { addDays, istDateTime } from '#shared/market/calendar.ts';

/** The day whose order book a time belongs to: the broker's day turns at 06:00 IST, as its sessions do. */
export function tradeDay(nowMs: number): string {
  const [day, time] = istDateTime(nowMs).split(' ') as [string, string];
  return time < '06:00:00' ? addDays(day, -1) : day;
}
