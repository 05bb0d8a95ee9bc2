import type { Instrument } from './instrument.ts';

const BELIEVED_FRACTION = 0.2;

/**
 * Whether what a dump lacks has gone, or the dump is broken: it must have four of its like for each that it lacks. So
 * no small set ends whole, and one alone only beside others that are there.
 */
export function isBelievable(missing: number, listed: number): boolean {
  return missing <= (missing + listed) * BELIEVED_FRACTION;
}

/** What comes into a dump and leaves it together: contracts of one underlying and expiry, else an exchange's segment. */
export function familyOf({
  exchange,
  segment,
  name,
  expiry,
}: Pick<Instrument, 'exchange' | 'segment' | 'name' | 'expiry'>): string {
  return expiry === '' ? `${exchange} ${segment}` : `${exchange} ${name} ${expiry}`;
}
