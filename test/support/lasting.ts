import { systemClock } from '#shared/clock.ts';
import { istDay } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';

/** All but contracts in their last day: those end with its close, in the middle of a test if it must be. */
export function lasting(instruments: readonly Instrument[]): Instrument[] {
  const today = istDay(systemClock().nowMs());
  return instruments.filter(({ expiry }) => expiry === '' || expiry > today);
}
