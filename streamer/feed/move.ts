import type { FeedMode } from '#shared/market/instrument.ts';
import type { DisconnectCause } from './causes.ts';
import type { PooledConnection } from './seat.ts';

/** Who knows from which connection an instrument's ticks are taken. */
export interface TickRouter {
  /** The connection was told to stream them, and no other does. */
  assign(tokens: Iterable<number>, link: number): void;
  /**
   * `to` was told to stream them too and takes over, each as soon as it has caught up; one that is only asked, when
   * they are settled.
   */
  handOver(tokens: Iterable<number>, to: number, isAsked: boolean): void;
  /** Whether any connection was told of: not so for an instrument that went and came back in one change. */
  isKnown(token: number): boolean;
  isSettled(token: number, link: number): boolean;
  /** Nothing is waited for any more: `to` goes on. */
  settle(tokens: Iterable<number>): void;
  /** `to` has taken over for good. */
  finish(tokens: Iterable<number>, to: number): void;
  /** `from` goes on as before. */
  cancel(tokens: Iterable<number>, from: number, to: number): void;
  /** Packets in which the connection told something new before it took over, and `from` did not. */
  newsOf(link: number): number;
}

/** `replace`: a new connection takes the seat. `ask`: only if it has news. `merge`: onto a seat that exists. */
export const MOVE_KINDS = ['replace', 'ask', 'merge'] as const;
export type MoveKind = (typeof MOVE_KINDS)[number];
export type MoveProgress = 'pending' | 'done' | 'idle' | 'failed';

export interface MovePlan {
  readonly kind: MoveKind;
  /** Why the connection is replaced; a merge has no cause. */
  readonly cause: DisconnectCause | undefined;
  readonly from: PooledConnection;
  readonly to: PooledConnection;
}

/** Instruments on their way from one connection to another, streamed by both until the second has them all. */
export class Move {
  readonly kind: MoveKind;
  readonly cause: DisconnectCause | undefined;
  readonly from: PooledConnection;
  readonly to: PooledConnection;
  readonly tokens: Set<number>;
  readonly #router: TickRouter;
  readonly #maxMs: number;
  #sentMs: number | undefined;

  /** @param maxMs once everything is asked for, how long instruments that did not catch up are waited for */
  constructor(plan: MovePlan, tokens: Iterable<number>, router: TickRouter, maxMs: number) {
    const { from, to } = plan;
    this.kind = plan.kind;
    this.cause = plan.cause;
    this.from = from;
    this.to = to;
    this.tokens = new Set(tokens);
    this.#router = router;
    this.#maxMs = maxMs;
    router.handOver(this.tokens, to.id, this.kind === 'ask');
    to.change(new Map([...this.tokens].map((token) => [token, from.wanted.get(token)!])), []);
  }

  /** What changes on `from` meanwhile changes on `to`. */
  follow(set: ReadonlyMap<number, FeedMode>, removed: readonly number[]): void {
    const gone = removed.filter((token) => this.tokens.delete(token));
    const added = [...set.keys()].filter((token) => this.kind !== 'merge' && !this.tokens.has(token));
    for (const token of added) this.tokens.add(token);
    const changed = new Map([...set].filter(([token]) => this.tokens.has(token)));
    this.#router.handOver(changed.keys(), this.to.id, this.kind === 'ask');
    this.to.change(changed, gone);
  }

  /** Nothing more is expected of `from`. */
  hurry(): void {
    this.#router.settle(this.tokens);
  }

  /** `idle`: asked whether there is news, and there was none. */
  progress(nowMs: number): MoveProgress {
    // It was started when the move began: one that is idle was closed.
    if (this.to.state === 'waiting' || this.to.state === 'idle') return 'failed';
    if (!this.to.isSent && this.#sentMs === undefined) return 'pending';
    this.#sentMs ??= nowMs;
    const hasNews = this.#router.newsOf(this.to.id) > 0;
    // The old link has missed something: what it may still bring is not waited for.
    if (this.cause === 'stalled' && hasNews) this.hurry();
    const isOver = nowMs - this.#sentMs >= this.#maxMs;
    if (this.kind === 'ask' && !hasNews) return isOver || this.#isSettled() ? 'idle' : 'pending';
    return isOver || this.#isSettled() ? 'done' : 'pending';
  }

  finish(): void {
    this.hurry();
    this.#router.finish(this.tokens, this.to.id);
  }

  cancel(): void {
    this.#router.cancel(this.tokens, this.from.id, this.to.id);
  }

  #isSettled(): boolean {
    for (const token of this.tokens) if (!this.#router.isSettled(token, this.to.id)) return false;
    return true;
  }
}
