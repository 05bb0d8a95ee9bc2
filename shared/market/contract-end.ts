import { addDays, expiryMs, istMs } from './calendar.ts';
import type { Instrument } from './instrument.ts';

const EQUITY_DERIVATIVES: ReadonlySet<string> = new Set(['NFO', 'BFO']);

/** Whether a contract of this exchange ends at the calendar's close; of others the hours are not known here. */
export function endsAtClose(exchange: string): boolean {
  return EQUITY_DERIVATIVES.has(exchange);
}

/** When a contract trades no more: the close of its expiry day, else that day's end; undefined without an expiry. */
export function contractEndMs({
  expiry,
  exchange,
}: Pick<Instrument, 'expiry' | 'exchange'>): number | undefined {
  if (expiry === '') return undefined;
  return endsAtClose(exchange) ? expiryMs(expiry) : istMs(addDays(expiry, 1), '00:00');
}
