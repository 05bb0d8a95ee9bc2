import { isBelievable } from '#shared/market/dump-belief.ts';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';
import type { ReconcileTarget } from '../control/reconciler.ts';
import { type DayView, type HeldReason, heldReason, type TradingDay, waitingReason } from './trading-day.ts';

/** What streams, and hears of a new session. */
export interface GatedTarget extends ReconcileTarget {
  /** Nothing that comes is compared with what came before. */
  beginSession(): void;
}

export type HeldCounts = Readonly<Record<HeldReason, number>>;

/** `doubted`: the dump lacks them, and too much of what is wanted to be believed, so they stream on. */
export type NotCurrentCounts = HeldCounts & { readonly doubted: number };

/** What a turn of the day ended or let go on. */
export interface GateChange {
  readonly stopped: HeldCounts;
  readonly resumed: number;
  readonly doubted: number;
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
  /** What day and dump say of each that they would not let stream. */
  readonly #said = new Map<number, HeldReason>();
  readonly #held = new Map<number, HeldReason>();
  readonly #stoppedTotal = noneHeld();
  #view: DayView;
  #isDumpBelieved = true;

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

  /** Wanted instruments that do not stream now, and those that stream although the dump lacks them. */
  get held(): NotCurrentCounts {
    return { ...countsOf(this.#held.values()), doubted: this.#doubted };
  }

  /** Streams that ended by themselves, ever. */
  get stoppedTotal(): HeldCounts {
    return this.#stoppedTotal;
  }

  apply(set: readonly AccountSubscription[], removed: readonly number[]): void {
    this.follow();
    for (const token of removed) {
      this.#wanted.delete(token);
      this.#said.delete(token);
      this.#held.delete(token);
    }
    for (const row of set) {
      this.#wanted.set(row.instrument_token, row);
      this.#ask(row);
    }
    const before = this.#isDumpBelieved;
    this.#judgeDump();
    this.#sort(set, removed);
    if (this.#isDumpBelieved !== before) this.#review();
  }

  /** Call it before anything is taken from the feed, and now and then. */
  follow(): void {
    const view = this.#day.view();
    if (view === this.#view) return;
    if (view.session !== this.#view.session) this.#target.beginSession();
    this.#view = view;
    for (const row of this.#wanted.values()) this.#ask(row);
    this.#judgeDump();
    this.#review();
  }

  #ask(row: AccountSubscription): void {
    const reason = heldReason(row.instrument, this.#view);
    if (reason === undefined) this.#said.delete(row.instrument_token);
    else this.#said.set(row.instrument_token, reason);
  }

  /** A dump that came without its rows would silence everybody, and streaming what nobody else is named costs nothing. */
  #judgeDump(): void {
    const said = countsOf(this.#said.values());
    this.#isDumpBelieved = isBelievable(said.gone, this.#wanted.size - said.gone - said.expired);
  }

  #reasonOf({ instrument, instrument_token }: AccountSubscription): HeldReason | undefined {
    const said = this.#said.get(instrument_token);
    return said === 'gone' && !this.#isDumpBelieved ? waitingReason(instrument, this.#view) : said;
  }

  get #doubted(): number {
    return this.#isDumpBelieved ? 0 : countsOf(this.#said.values()).gone;
  }

  #review(): void {
    const turned: AccountSubscription[] = [];
    const stopped = noneHeld();
    const examples: string[] = [];
    let resumed = 0;
    for (const row of this.#wanted.values()) {
      const before = this.#held.get(row.instrument_token);
      const reason = this.#reasonOf(row);
      if (reason === before) continue;
      turned.push(row);
      if (reason === undefined) resumed += 1;
      if (reason === undefined || before !== undefined) continue;
      stopped[reason] += 1;
      this.#stoppedTotal[reason] += 1;
      if (examples.length < EXAMPLES) examples.push(row.instrument.tradingsymbol);
    }
    this.#sort(turned, []);
    const doubted = this.#doubted;
    if (turned.length > 0 || doubted > 0) this.#onChange({ stopped, resumed, doubted, examples });
  }

  /** Hands on what may stream; what may not ends. */
  #sort(rows: readonly AccountSubscription[], removed: readonly number[]): void {
    const streaming = this.#target.current();
    const gone = removed.filter((token) => streaming.has(token));
    const set: AccountSubscription[] = [];
    for (const row of rows) {
      const reason = this.#reasonOf(row);
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

function countsOf(reasons: Iterable<HeldReason>): Record<HeldReason, number> {
  const counts = noneHeld();
  for (const reason of reasons) counts[reason] += 1;
  return counts;
}
