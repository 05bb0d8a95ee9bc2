import { downloadInstruments } from '#functions/instruments/download.ts';
import type { Clock } from '#shared/clock.ts';
import type { Logger } from '#shared/http/logger.ts';
import { istDay, knowsHolidays } from '#shared/market/calendar.ts';
import {
  type InstrumentPointer,
  type InstrumentStore,
  InstrumentsMissingError,
  InstrumentsUnreadableError,
} from '#shared/market/instrument-store.ts';
import { isDue } from './due.ts';

export interface RefreshParts {
  readonly store: Pick<InstrumentStore, 'current' | 'replace'>;
  readonly brokerUrl: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Fetches the day's dump once it should be there, and again with the next run while what came is an older day's.
 * @throws DownloadError, InstrumentsCsvError, DumpShrunkError: the dump in force stays, and the next run tries again
 */
export async function refreshWhenDue(parts: RefreshParts): Promise<{ readonly day: string | undefined }> {
  const { store, brokerUrl, clock, log } = parts;
  const before = await inForce(parts);
  if (!isDue(before, clock.nowMs())) return { day: before?.day };
  const after = await store.replace(await downloadInstruments(brokerUrl));
  const { day, version, count } = after;
  if (isDue(after, clock.nowMs())) log.warn("the broker still serves an older day's dump", { day, version });
  else log.info("the day's instruments are in force", { day, version, count });
  const today = istDay(clock.nowMs());
  if (!knowsHolidays(today)) log.warn("the calendar lacks this year's holidays", { day: today });
  return { day };
}

async function inForce({ store, log }: RefreshParts): Promise<InstrumentPointer | undefined> {
  try {
    return await store.current();
  } catch (error) {
    if (error instanceof InstrumentsMissingError) return undefined;
    if (!(error instanceof InstrumentsUnreadableError)) throw error;
    log.warn('nobody can read which dump is in force; it is replaced as soon as one is due', { error });
    return undefined;
  }
}
