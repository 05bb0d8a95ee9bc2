const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** How many placements an account may make; a slot counts whether it was used or not. */
export interface SlotLimits {
  /** In any sliding second, in any sliding minute, on one day. */
  readonly perSecond: number;
  readonly perMinute: number;
  readonly perDay: number;
  /** A slot is good from its time on for this long: windows are wider by it, so that they hold for real sendings. */
  readonly toleranceMs: number;
}

/** The broker's own limits (kite.trade/docs/connect/v3/exceptions, section on rate limits). */
const BROKER_LIMITS = { perSecond: 10, perMinute: 400, perDay: 5_000 };

/** @param margin the share of each limit that is left to the account's other apps, 0 to below 1 */
export function slotLimits(margin: number, toleranceMs: number): SlotLimits {
  const less = (limit: number) => Math.max(1, Math.floor(limit * (1 - margin)));
  const { perSecond, perMinute, perDay } = BROKER_LIMITS;
  return { perSecond: less(perSecond), perMinute: less(perMinute), perDay: less(perDay), toleranceMs };
}

/** The slots given so far. */
export interface SlotState {
  /** IST day that `today` counts. */
  readonly day: string;
  readonly today: number;
  /** Wall times of the last minute's slots and of those ahead, rising. */
  readonly times: readonly number[];
}

export const NO_SLOTS: SlotState = { day: '', today: 0, times: [] };

/** The first moment, not before `wallMs`, at which one more order may go out; undefined when the day has no more. */
export function freeSlotMs(
  state: SlotState,
  limits: SlotLimits,
  wallMs: number,
  day: string,
): number | undefined {
  if (state.day === day && state.today >= limits.perDay) return undefined;
  const { times } = state;
  const after = (count: number, windowMs: number) =>
    (times.at(-count) ?? Number.NEGATIVE_INFINITY) + windowMs + limits.toleranceMs;
  return Math.max(
    wallMs,
    times.at(-1) ?? wallMs,
    times.length >= limits.perSecond ? after(limits.perSecond, SECOND_MS) : wallMs,
    times.length >= limits.perMinute ? after(limits.perMinute, MINUTE_MS) : wallMs,
  );
}

/** The state with one more slot at `slotMs`, which is not before any other. */
export function withSlot(state: SlotState, limits: SlotLimits, slotMs: number, day: string): SlotState {
  const times = state.times.filter((time) => time > slotMs - MINUTE_MS - limits.toleranceMs);
  return { day, today: (state.day === day ? state.today : 0) + 1, times: [...times, slotMs] };
}
