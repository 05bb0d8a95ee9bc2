import { gaussian, hash } from '#shared/random.ts';
import { activityShare, cascade, istDayNumber, istMidnightMs, MINUTE_MS } from './path.ts';
import { recordedIndex } from './prices.ts';
import type { RecordedContract, Recording } from './recording.ts';

/** Volume and open interest of one instrument, in units: volume only grows within a session. */
export interface Activity {
  /** Traded since the session's open. */
  volumeAt(ms: number, openMs: number): number;
  oiAt(ms: number): number;
  /** [lowest, highest] open interest from the session's open to `ms`. */
  oiRange(ms: number, openMs: number): readonly [number, number];
  /** Trades expected on that day, in lots. */
  lotsOn(dayNumber: number): number;
}

/** The broker's volume field has 32 bits. */
const MAX_COUNT = 0xffff_ffff;

/** What a day expects: units traded, and open interest at its midnight. */
export type DayExpectation = (dayNumber: number) => { readonly volume: number; readonly oi: number };

interface DayPlan {
  readonly day: number;
  readonly volume: number;
  readonly oiFrom: number;
  readonly oiTo: number;
}

/** Believable activity: a day's volume spread by a clustered cascade, open interest that drifts along with it. */
export class ModelActivity implements Activity {
  readonly #seed: number;
  readonly #lot: number;
  readonly #expect: DayExpectation;
  #plan: DayPlan | undefined;

  constructor(seed: number, lot: number, expect: DayExpectation) {
    this.#seed = seed;
    this.#lot = Math.max(1, lot);
    this.#expect = expect;
  }

  volumeAt(ms: number, openMs: number): number {
    const share = Math.max(0, this.#share(ms) - this.#share(openMs));
    return Math.min(MAX_COUNT, this.#whole(this.#planOf(istDayNumber(ms)).volume * share));
  }

  oiAt(ms: number): number {
    const plan = this.#planOf(istDayNumber(ms));
    return this.#whole(plan.oiFrom + (plan.oiTo - plan.oiFrom) * this.#share(ms));
  }

  oiRange(ms: number, openMs: number): readonly [number, number] {
    const open = this.oiAt(openMs);
    const now = this.oiAt(ms);
    return open < now ? [open, now] : [now, open];
  }

  lotsOn(dayNumber: number): number {
    return this.#planOf(dayNumber).volume / this.#lot;
  }

  #share(ms: number): number {
    const day = istDayNumber(ms);
    return cascade(this.#seed ^ day, activityShare(ms - istMidnightMs(day)));
  }

  #whole(units: number): number {
    return Math.floor(units / this.#lot) * this.#lot;
  }

  #planOf(day: number): DayPlan {
    if (this.#plan?.day === day) return this.#plan;
    const today = this.#expect(day);
    const wild = Math.exp(gaussian(this.#seed, day, 21) * 0.35);
    const plan: DayPlan = {
      day,
      volume: today.volume * wild,
      oiFrom: today.oi * this.#oiMood(day),
      oiTo: this.#expect(day + 1).oi * this.#oiMood(day + 1),
    };
    this.#plan = plan;
    return plan;
  }

  #oiMood(day: number): number {
    return Math.exp(gaussian(this.#seed, day, 22) * 0.06 + gaussian(this.#seed, day >> 3, 23) * 0.2);
  }
}

/** Recorded counts on the recorded day, exact at every whole minute; the model's at any other time. */
export class RecordedActivity implements Activity {
  readonly #recording: Recording;
  readonly #contract: RecordedContract;
  readonly #model: Activity;

  constructor(recording: Recording, contract: RecordedContract, model: Activity) {
    this.#recording = recording;
    this.#contract = contract;
    this.#model = model;
  }

  volumeAt(ms: number, openMs: number): number {
    const recorded = this.#between(this.#contract.volume, ms);
    if (recorded !== undefined) return recorded;
    const { fromMs } = this.#recording;
    const modelled = this.#model.volumeAt(ms, openMs);
    if (istDayNumber(ms) !== istDayNumber(fromMs)) return modelled;
    const whole = this.#model.volumeAt(fromMs, openMs);
    return whole === 0 ? 0 : Math.floor((this.#contract.volume[0]! * modelled) / whole);
  }

  oiAt(ms: number): number {
    const recorded = this.#between(this.#contract.oi, ms);
    if (recorded !== undefined) return recorded;
    const sameDay = istDayNumber(ms) === istDayNumber(this.#recording.fromMs);
    return sameDay ? this.#contract.oi[0]! : this.#model.oiAt(ms);
  }

  oiRange(ms: number, openMs: number): readonly [number, number] {
    const last = recordedIndex(this.#recording, ms);
    if (last === undefined) {
      if (istDayNumber(ms) !== istDayNumber(this.#recording.fromMs)) return this.#model.oiRange(ms, openMs);
      return [this.#contract.oi[0]!, this.#contract.oi[0]!];
    }
    let low = this.oiAt(ms);
    let high = low;
    for (let i = 0; i <= last; i++) {
      const oi = this.#contract.oi[i]!;
      if (oi < low) low = oi;
      if (oi > high) high = oi;
    }
    return [low, high];
  }

  lotsOn(dayNumber: number): number {
    if (dayNumber !== istDayNumber(this.#recording.fromMs)) return this.#model.lotsOn(dayNumber);
    return this.#contract.volume.at(-1)!;
  }

  #between(values: Float64Array, ms: number): number | undefined {
    const index = recordedIndex(this.#recording, ms);
    if (index === undefined) return undefined;
    const from = values[index]!;
    const to = values[Math.min(index + 1, values.length - 1)]!;
    const share = Math.min(1, (ms - this.#recording.fromMs) / MINUTE_MS - index);
    return Math.floor(from + (to - from) * share);
  }
}

/** Seconds between two trades of something that trades `lots` a day: divides 20 s, or is a minute. */
export function periodSeconds(lots: number): number {
  if (lots > 20_000) return 1;
  if (lots > 5_000) return 2;
  if (lots > 1_000) return 5;
  if (lots > 300) return 10;
  return lots > 100 ? 20 : 60;
}

/** A quantity of whole lots, between 1 and `most` lots. */
export function someLots(seed: number, a: number, b: number, lot: number, most: number): number {
  return (1 + (hash(seed, a, b) % most)) * lot;
}
