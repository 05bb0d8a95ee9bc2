import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import type { ReconcileTarget } from '../control/reconciler.ts';
import { type DayView, type HeldReason, heldReason, type TradingDay } from './trading-day.ts';

/** What streams, and hears of a new session. */
export interface GatedTarget extends ReconcileTarget {
  /** Nothing that comes is compared with what came before. */
  beginSession(): void;
}

export type HeldCounts = Readonly<Record<HeldReason, number>>;

/** What a turn of the day ended or let go on. */
export interface GateChange {
  readonly stopped: HeldCounts;
  readonly resumed: number;
  /** Some of what was stopped, by name. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

/**
 * Stands between what an account's rows want and what it streams: lets through what the day allows, and ends or
 * resumes streams by itself when the day turns, whether or not the table can be read.
 */
export class DayGate implements ReconcileTarget {
  readonly #target: GatedTarget;
  readonly #day: Pick<TradingDay, 'view'>;
  readonly #onChange: (change: GateChange) => void;
  readonly #wanted = new Map<number, AccountSubscription>();
  readonly #held = new Map<number, HeldReason>();
  readonly #stoppedTotal = noneHeld();
  #view: DayView;

  constructor(target: GatedTarget, day: Pick<TradingDay, 'view'>, onChange: (change: GateChange) => void) {
    this.#target = target;
    this.#day = day;
    this.#onChange = onChange;
    this.#view = day.view();
  }

  /** What is wanted, streaming or not. */
  current(): ReadonlyMap<number, AccountSubscription> {
    return this.#wanted;
  }

  /** Wanted instruments that do not stream now. */
  get held(): HeldCounts {
    const counts = noneHeld();
    for (const reason of this.#held.values()) counts[reason] += 1;
    return counts;
  }

  /** Streams that ended by themselves, ever. */
  get stoppedTotal(): HeldCounts {
    return this.#stoppedTotal;
  }

  apply(set: readonly AccountSubscription[], removed: readonly number[]): void {
    this.follow();
    for (const token of removed) {
      this.#wanted.delete(token);
      this.#held.delete(token);
    }
    for (const row of set) this.#wanted.set(row.instrument_token, row);
    this.#sort(set, removed);
  }

  /** Call it before anything is taken from the feed, and now and then. */
  follow(): void {
    const view = this.#day.view();
    if (view === this.#view) return;
    if (view.session !== this.#view.session) this.#target.beginSession();
    this.#view = view;
    this.#review();
  }

  #review(): void {
    const turned: AccountSubscription[] = [];
    const stopped = noneHeld();
    const examples: string[] = [];
    let resumed = 0;
    for (const row of this.#wanted.values()) {
      const before = this.#held.get(row.instrument_token);
      const reason = heldReason(row.instrument, this.#view);
      if (reason === before) continue;
      turned.push(row);
      if (reason === undefined) resumed += 1;
      if (reason === undefined || before !== undefined) continue;
      stopped[reason] += 1;
      this.#stoppedTotal[reason] += 1;
      if (examples.length < EXAMPLES) examples.push(row.instrument.tradingsymbol);
    }
    if (turned.length === 0) return;
    this.#sort(turned, []);
    this.#onChange({ stopped, resumed, examples });
  }

  /** Hands on what may stream; what may not ends. */
  #sort(rows: readonly AccountSubscription[], removed: readonly number[]): void {
    const streaming = this.#target.current();
    const gone = removed.filter((token) => streaming.has(token));
    const set: AccountSubscription[] = [];
    for (const row of rows) {
      const reason = heldReason(row.instrument, this.#view);
      if (reason === undefined) {
        this.#held.delete(row.instrument_token);
        set.push(row);
        continue;
      }
      this.#held.set(row.instrument_token, reason);
      if (streaming.has(row.instrument_token)) gone.push(row.instrument_token);
    }
    if (set.length > 0 || gone.length > 0) this.#target.apply(set, gone);
  }
}

function noneHeld(): Record<HeldReason, number> {
  return { expired: 0, recycled: 0, gone: 0, waiting: 0 };
}
