import { endsAtClose } from './contract-end.ts';
import type { Instrument } from './instrument.ts';

/** A dump that is not put in force, because it has far fewer rows than the one that is. */
export class DumpShrunkError extends Error {
  readonly code = 'instruments_shrunk';
}

/** How much a dump has. */
export interface DumpSize {
  readonly count: number;
  /** Rows by segment. */
  readonly segments: Readonly<Record<string, number>>;
}

/** Segments were not counted always. */
export type KnownSize = Pick<DumpSize, 'count'> & { readonly segments?: DumpSize['segments'] | undefined };

const KEPT_FRACTION = 0.5;
/** What is streamed; the broker may withdraw others whole. */
const WATCHED_SEGMENTS = new Set(['NSE', 'BSE', 'INDICES', 'NFO-FUT', 'NFO-OPT', 'BFO-FUT', 'BFO-OPT']);
/** A segment of a few contracts may end with an expiry; one of so many never loses half of them in a day. */
const WATCHED_SEGMENT_ROWS = 100;
/** Fewer are rows that the broker forgot; of every expiry of index options there are hundreds. */
const EXPIRED_ROWS = 20;

export function sizeOf(instruments: readonly Instrument[]): DumpSize {
  const segments: Record<string, number> = {};
  for (const { segment } of instruments) segments[segment] = (segments[segment] ?? 0) + 1;
  return { count: instruments.length, segments };
}

/**
 * The broker answers 200 with a header alone, or without a segment, when it is in trouble.
 * @throws DumpShrunkError
 */
export function refuseShrunken(next: DumpSize, inForce: KnownSize | undefined): void {
  if (next.count === 0) throw shrunken('no rows at all');
  if (inForce === undefined) return;
  const lost = [
    ...(isFarFewer(next.count, inForce.count) ? [`${next.count} rows of ${inForce.count}`] : []),
    ...Object.entries(inForce.segments ?? {})
      .filter(([name, rows]) => WATCHED_SEGMENTS.has(name) && rows >= WATCHED_SEGMENT_ROWS)
      .filter(([name, rows]) => isFarFewer(next.segments[name] ?? 0, rows))
      .map(([name, rows]) => `${next.segments[name] ?? 0} rows of ${rows} in ${name}`),
  ];
  if (lost.length > 0) throw shrunken(lost.join(', '));
}

function isFarFewer(rows: number, before: number): boolean {
  return rows < before * KEPT_FRACTION;
}

function shrunken(has: string): DumpShrunkError {
  return new DumpShrunkError(
    `the broker's dump has ${has}; the one in force stays, unless POST /instruments/refresh?force=true replaces it`,
  );
}

/**
 * A dump that still lists what expired is an older day's, whenever it was fetched: the broker makes one a morning. A
 * few old rows say nothing, nor do other exchanges, whose expired rows nobody vouches for.
 */
export function dumpDay(instruments: readonly Instrument[], today: string): string {
  const expired = new Map<string, number>();
  for (const { expiry, exchange } of instruments) {
    if (expiry === '' || expiry >= today || !endsAtClose(exchange)) continue;
    expired.set(expiry, (expired.get(expiry) ?? 0) + 1);
  }
  const days = [...expired].filter(([, rows]) => rows >= EXPIRED_ROWS).map(([day]) => day);
  return days.toSorted()[0] ?? today;
}
