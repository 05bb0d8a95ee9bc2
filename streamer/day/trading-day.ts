import type { Clock } from '#shared/clock.ts';
import {
  addDays,
  closeMs,
  isTrading,
  istDay,
  istMs,
  marketState,
  tradingHours,
} from '#shared/market/calendar.ts';
import { endsAtClose } from '#shared/market/contract-end.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { DumpRegistry } from './registry.ts';
import type { TokenIndex } from './token-index.ts';

export interface TradingDaySettings {
  /** Market time that an expired contract streams on after its last close. */
  readonly expiryGraceMs: number;
  /** What becomes of derivatives from the pre-open on while the day's dump is not there. */
  readonly withoutDump: 'stream' | 'hold';
}

/**
 * Why an instrument that is wanted does not stream: its contract `expired`; its token is `recycled`, it names another
 * instrument in the dump in force, or `gone`, it names none; or it is `waiting` for the day's dump.
 */
export const HELD_REASONS = ['expired', 'recycled', 'gone', 'waiting'] as const;
export type HeldReason = (typeof HELD_REASONS)[number];

/** What holds until the day's next turn; another object whenever anything of it changed. */
export interface DayView {
  /** Its ticks are compared with each other, and with no other session's. */
  readonly session: string;
  /** Equity derivatives that expire before this day have ended, and others that expire before `day`. */
  readonly liveFrom: string;
  readonly day: string;
  readonly index: TokenIndex | undefined;
  readonly holds: boolean;
}

/** Says what may stream at a moment: by the calendar, and by the dump in force. */
export class TradingDay {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #registry: Pick<DumpRegistry, 'index' | 'pointer'>;
  readonly #settings: TradingDaySettings;
  #view: DayView;
  #pointer: DumpRegistry['pointer'];
  #sinceMs = 0;
  #untilMs = 0;

  constructor(
    clock: Pick<Clock, 'nowMs'>,
    registry: Pick<DumpRegistry, 'index' | 'pointer'>,
    settings: TradingDaySettings,
  ) {
    this.#clock = clock;
    this.#registry = registry;
    this.#settings = settings;
    this.#view = this.#look(clock.nowMs());
  }

  /** Cheap: it is asked for before every frame. A clock that was set back turns the day too. */
  view(): DayView {
    const nowMs = this.#clock.nowMs();
    const isSame = this.#registry.index === this.#view.index && this.#registry.pointer === this.#pointer;
    if (nowMs >= this.#untilMs || nowMs < this.#sinceMs || !isSame) {
      const view = this.#look(nowMs);
      if (differs(view, this.#view)) this.#view = view;
    }
    return this.#view;
  }

  #look(nowMs: number): DayView {
    const day = istDay(nowMs);
    const endMs = closeMs(day, 'derivatives') + this.#settings.expiryGraceMs;
    const hours = tradingHours(day, 'derivatives');
    const turns = [istMs(day, '00:00'), endMs, istMs(addDays(day, 1), '00:00')];
    if (hours !== undefined) turns.push(hours.preOpenMs, hours.openMs);
    this.#sinceMs = Math.max(...turns.filter((turnMs) => turnMs <= nowMs));
    this.#untilMs = Math.min(...turns.filter((turnMs) => turnMs > nowMs));
    this.#pointer = this.#registry.pointer;
    return {
      session: sessionOf(day, nowMs),
      liveFrom: nowMs >= endMs ? addDays(day, 1) : day,
      day,
      index: this.#registry.index,
      holds: this.#settings.withoutDump === 'hold' && this.#lacksDump(day, nowMs),
    };
  }

  #lacksDump(day: string, nowMs: number): boolean {
    const state = marketState(nowMs, 'derivatives');
    if (state !== 'pre_open' && !isTrading(state)) return false;
    return this.#pointer === undefined || this.#pointer.day < day;
  }
}

/** Undefined: it streams. */
export function heldReason(instrument: Instrument, view: DayView): HeldReason | undefined {
  const { expiry, exchange } = instrument;
  const isDerivative = expiry !== '';
  const liveFrom = endsAtClose(exchange) ? view.liveFrom : view.day;
  if (isDerivative && expiry < liveFrom) return 'expired';
  const naming = view.index?.look(instrument) ?? 'same';
  if (naming !== 'same') return naming === 'other' ? 'recycled' : 'gone';
  return waitingReason(instrument, view);
}

/** The same where the dump has no say. */
export function waitingReason({ expiry }: Instrument, { holds }: DayView): HeldReason | undefined {
  return expiry !== '' && holds ? 'waiting' : undefined;
}

/** Volumes begin anew with the day, and once more with each session that the exchange begins. */
function sessionOf(day: string, nowMs: number): string {
  const hours = tradingHours(day, 'derivatives');
  if (hours === undefined || nowMs < hours.preOpenMs) return `${day} night`;
  return nowMs < hours.openMs ? `${day} pre_open` : `${day} open`;
}

function differs(a: DayView, b: DayView): boolean {
  return (
    a.session !== b.session ||
    a.liveFrom !== b.liveFrom ||
    a.day !== b.day ||
    a.index !== b.index ||
    a.holds !== b.holds
  );
}
