import { hasSameTerms } from '#shared/market/instrument.ts';
import type { AccountSubscription, SubscriptionSource } from '#shared/subscriptions/types.ts';
import { addDrift, type DriftCounts, isDrift, noDrift } from './drift.ts';

/** What streams now, and takes changes. */
export interface ReconcileTarget {
  current(): ReadonlyMap<number, AccountSubscription>;
  apply(set: readonly AccountSubscription[], removed: readonly number[]): void;
}

/**
 * Brings what an account streams to what its rows say. Level-triggered: it reads the rows' state and never relies
 * on having seen each change; a nudge only makes it look sooner. Reads run one after another, so that an older
 * answer can never overwrite a newer one.
 */
export class Reconciler {
  /** What no change accounts for, repaired, since the account is held. */
  readonly drift = noDrift();
  readonly #accountId: string;
  readonly #source: SubscriptionSource;
  readonly #target: ReconcileTarget;
  readonly #repairConnections: () => DriftCounts;
  #tail: Promise<void> = Promise.resolve();
  #nudged = new Set<number>();
  #mark = -1;
  #suspected: DriftCounts | undefined;

  /** @param repairConnections makes them carry what the target streams, and tells what differed */
  constructor(
    accountId: string,
    source: SubscriptionSource,
    target: ReconcileTarget,
    repairConnections: () => DriftCounts = noDrift,
  ) {
    this.#accountId = accountId;
    this.#source = source;
    this.#target = target;
    this.#repairConnections = repairConnections;
  }

  /** Reads and applies these instruments alone; those named while a read is under way share the next one. */
  nudge(instrumentTokens: readonly number[]): Promise<void> {
    const isFirst = this.#nudged.size === 0;
    for (const token of instrumentTokens) this.#nudged.add(token);
    if (!isFirst || this.#nudged.size === 0) return this.#tail;
    return this.#inTurn(async () => {
      const tokens = [...this.#nudged];
      this.#nudged = new Set();
      this.#compare(await this.#source.getForAccount(this.#accountId, tokens), tokens);
    });
  }

  /** Compares everything when the dirty mark moved since the last time. */
  checkMark(): Promise<void> {
    return this.#inTurn(async () => {
      const mark = await this.#source.dirtyMark(this.#accountId);
      this.#settle(mark);
      if (mark !== this.#mark) await this.#readAll(mark);
    });
  }

  /** Compares everything with the rows, and the connections with what they shall carry. */
  compareAll(): Promise<void> {
    return this.#inTurn(async () => {
      const mark = await this.#source.dirtyMark(this.#accountId);
      this.#settle(mark);
      const isUnchanged = mark === this.#mark;
      const found = await this.#readAll(mark);
      if (isUnchanged && isDrift(found)) this.#suspected = found;
      addDrift(this.drift, this.#repairConnections());
    });
  }

  /**
   * A difference under the same mark may be a change whose mark could not be seen yet. Only what the mark still knows
   * nothing of at the next look is drift.
   */
  #settle(mark: number): void {
    if (this.#suspected !== undefined && mark === this.#mark) addDrift(this.drift, this.#suspected);
    this.#suspected = undefined;
  }

  /** The mark was read before the rows: a change in between moves it again. */
  async #readAll(mark: number): Promise<DriftCounts> {
    const rows = await this.#source.listForAccount(this.#accountId);
    const found = this.#compare(rows, [...this.#target.current().keys()]);
    this.#mark = mark;
    return found;
  }

  /** `scope`: instruments of which `rows` is the whole truth. @returns what differed, now repaired */
  #compare(rows: readonly AccountSubscription[], scope: readonly number[]): DriftCounts {
    const current = this.#target.current();
    const wanted = new Map(rows.map((row) => [row.instrument_token, row]));
    const removed = scope.filter((token) => current.has(token) && !wanted.has(token));
    const set = rows.filter((row) => differs(current.get(row.instrument_token), row));
    const missing = set.filter(({ instrument_token }) => !current.has(instrument_token)).length;
    if (set.length > 0 || removed.length > 0) this.#target.apply(set, removed);
    return { not_streaming: missing, not_wanted: removed.length, wrong_mode: set.length - missing };
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => {});
    return turn;
  }
}

/** Tokens are recycled: the same one may name another contract. A newer version may be a subscription that came back. */
function differs(known: AccountSubscription | undefined, row: AccountSubscription): boolean {
  return (
    known === undefined ||
    known.version !== row.version ||
    known.mode !== row.mode ||
    !hasSameTerms(known.instrument, row.instrument)
  );
}
