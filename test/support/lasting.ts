import { systemClock } from '#shared/clock.ts';
import { istDay } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';

/** All but contracts in their last day: those end with its close, in the middle of a test if it must be. `nowMs`: market time. */
export function lasting(
  instruments: readonly Instrument[],
  nowMs: number = systemClock().nowMs(),
): Instrument[] {
  const today = istDay(nowMs);
  return instruments.filter(({ expiry }) => expiry === '' || expiry > today);
}
