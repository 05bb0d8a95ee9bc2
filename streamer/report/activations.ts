import { isConflict } from '#shared/dynamo.ts';
import { inParallel } from '#shared/parallel.ts';
import type { ActivationStore } from '#shared/subscriptions/activations.ts';
import type { AccountSubscription } from '#shared/subscriptions/types.ts';

export interface ActivationSettings {
  /** Writes under way at once, and reports begun a turn: a day's start must not hammer the table. */
  readonly atOnce: number;
  readonly perTurn: number;
}

/** What of an account's streamer is asked. */
export interface TickingSource {
  current(): ReadonlyMap<number, AccountSubscription>;
  /** A tick of the market was put into a batch since the instrument is claimed. */
  hasTicked(instrumentToken: number): boolean;
}

/**
 * Reports first ticks. Level-triggered: what has ticked and is not marked in its row is due, so a report that failed
 * or a process that died before it costs time and nothing else; a mark in the table is never told again.
 */
export class Activations {
  readonly #accountId: string;
  readonly #settings: ActivationSettings;
  readonly #store: ActivationStore;
  readonly #source: TickingSource;
  /** Version of a row whose report the table has answered. */
  readonly #settled = new Map<number, number>();
  /** Reports that were news to the table. */
  told = 0;

  constructor(
    accountId: string,
    settings: ActivationSettings,
    store: ActivationStore,
    source: TickingSource,
  ) {
    this.#accountId = accountId;
    this.#settings = settings;
    this.#store = store;
    this.#source = source;
  }

  /**
   * A report that fails is left for the next turn, and does not keep the others back while some succeed.
   * @throws what the table threw, when nothing goes any more
   */
  async tell(): Promise<void> {
    this.#forgetGone();
    let failedInRow = 0;
    await inParallel(this.#settings.atOnce, this.#due(), async (row) => {
      try {
        await this.#report(row);
        failedInRow = 0;
      } catch (error) {
        // Somebody writes to this one subscription just now.
        if (isConflict(error)) return;
        failedInRow += 1;
        if (failedInRow > this.#settings.atOnce) throw error;
      }
    });
  }

  async #report(row: AccountSubscription): Promise<void> {
    if (await this.#store.activate(this.#accountId, row)) this.told += 1;
    this.#settled.set(row.instrument_token, row.version);
  }

  #due(): AccountSubscription[] {
    const due: AccountSubscription[] = [];
    for (const row of this.#source.current().values()) {
      if (row.activated_version !== undefined) continue;
      if (this.#settled.get(row.instrument_token) === row.version) continue;
      if (!this.#source.hasTicked(row.instrument_token)) continue;
      due.push(row);
      if (due.length === this.#settings.perTurn) break;
    }
    return due;
  }

  #forgetGone(): void {
    const rows = this.#source.current();
    for (const token of this.#settled.keys()) if (!rows.has(token)) this.#settled.delete(token);
  }
}
