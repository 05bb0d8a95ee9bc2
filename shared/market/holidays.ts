/**
 * Days on which NSE and BSE do not trade although they are weekdays. The one list for the whole project;
 * add each new year's when the exchanges' circular appears.
 * 2025 and 2026: exchange circulars; 15 Jan 2026 was added on 12 Jan for municipal elections.
 */
export const HOLIDAYS: ReadonlySet<string> = new Set([
  '2025-02-26',
  '2025-03-14',
  '2025-03-31',
  '2025-04-10',
  '2025-04-14',
  '2025-04-18',
  '2025-05-01',
  '2025-08-15',
  '2025-08-27',
  '2025-10-02',
  '2025-10-21',
  '2025-10-22',
  '2025-11-05',
  '2025-12-25',
  '2026-01-15',
  '2026-01-26',
  '2026-03-03',
  '2026-03-26',
  '2026-03-31',
  '2026-04-03',
  '2026-04-14',
  '2026-05-01',
  '2026-05-28',
  '2026-06-26',
  '2026-09-14',
  '2026-10-02',
  '2026-10-20',
  '2026-11-10',
  '2026-11-24',
  '2026-12-25',
]);

/** The last year the list covers: later years know weekends only, and say so. */
export const HOLIDAYS_KNOWN_UNTIL_YEAR = 2026;
