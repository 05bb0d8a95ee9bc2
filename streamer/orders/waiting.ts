import type { OrderUpdateMessage } from '#shared/orders/updates.ts';
import { BATCH_MAX_BYTES, BATCH_MAX_MESSAGES } from '#shared/orders/updates-queue.ts';

export interface WaitingLimits {
  readonly maxFrames: number;
  readonly maxBytes: number;
}

/** A message that the queue has not taken yet. */
export interface WaitingMessage {
  readonly message: OrderUpdateMessage;
  readonly bytes: number;
  /** How often the queue refused it by itself. */
  refusals: number;
}

interface AccountFrames {
  readonly frames: Set<WaitingMessage>;
  bytes: number;
}

/**
 * What waits for the queue: frames, bounded, in the order in which they came, and at most one sync an account, which
 * goes first. Past the bounds the oldest frame of the account with the most bytes is dropped: newer ones say more, and
 * one account's flood is paid for by itself.
 */
export class WaitingUpdates {
  readonly #limits: WaitingLimits;
  readonly #frames = new Set<WaitingMessage>();
  readonly #accounts = new Map<string, AccountFrames>();
  readonly #syncs = new Map<string, WaitingMessage>();
  #underWay: ReadonlySet<WaitingMessage> = new Set();
  #bytes = 0;

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  get frames(): number {
    return this.#frames.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0 && this.#syncs.size === 0;
  }

  /** Answers with what had to be dropped for it: itself where everything older is under way. */
  addFrame(message: OrderUpdateMessage): OrderUpdateMessage[] {
    const waiting = waitingMessage(message);
    if (waiting.bytes > BATCH_MAX_BYTES) return [message];
    const account = this.#accounts.get(message.account_id) ?? { frames: new Set(), bytes: 0 };
    this.#accounts.set(message.account_id, account);
    account.frames.add(waiting);
    account.bytes += waiting.bytes;
    this.#frames.add(waiting);
    this.#bytes += waiting.bytes;
    const dropped: OrderUpdateMessage[] = [];
    while (this.#frames.size > this.#limits.maxFrames || this.#bytes > this.#limits.maxBytes) {
      const victim = this.#victim();
      if (victim === undefined) break;
      this.#removeFrame(victim);
      dropped.push(victim.message);
    }
    return dropped;
  }

  /** Takes the place of one that waits, also of one under way: what asks for it may be newer than what that one reads. */
  setSync(message: OrderUpdateMessage): void {
    this.#syncs.set(message.account_id, waitingMessage(message));
  }

  /**
   * The next to be sent, under way from now until `settle`: at most one of each group, so that one which fails is
   * not overtaken by its successor.
   */
  take(): readonly WaitingMessage[] {
    const batch: WaitingMessage[] = [];
    const groups = new Set<string>();
    let bytes = 0;
    for (const each of this.#inOrder()) {
      if (batch.length === BATCH_MAX_MESSAGES || bytes + each.bytes > BATCH_MAX_BYTES) break;
      if (groups.has(each.message.group)) continue;
      groups.add(each.message.group);
      batch.push(each);
      bytes += each.bytes;
    }
    this.#underWay = new Set(batch);
    return batch;
  }

  /** Nothing is under way any more; these need not wait longer, the others do. */
  settle(done: Iterable<WaitingMessage>): void {
    this.#underWay = new Set();
    for (const each of done) {
      const { account_id } = each.message;
      if (this.#syncs.get(account_id) === each) this.#syncs.delete(account_id);
      else this.#removeFrame(each);
    }
  }

  /** Everything there is; nothing waits afterwards. */
  clear(): { readonly frames: OrderUpdateMessage[]; readonly syncs: OrderUpdateMessage[] } {
    const messages = (waiting: Iterable<WaitingMessage>) => [...waiting].map(({ message }) => message);
    const left = { frames: messages(this.#frames), syncs: messages(this.#syncs.values()) };
    this.#syncs.clear();
    this.settle([...this.#frames]);
    return left;
  }

  *#inOrder(): Generator<WaitingMessage> {
    yield* this.#syncs.values();
    yield* this.#frames;
  }

  #victim(): WaitingMessage | undefined {
    const byBytes = [...this.#accounts.values()].sort((a, b) => b.bytes - a.bytes);
    for (const { frames } of byBytes) {
      for (const each of frames) if (!this.#underWay.has(each)) return each;
    }
    return undefined;
  }

  #removeFrame(waiting: WaitingMessage): void {
    const { account_id } = waiting.message;
    const account = this.#accounts.get(account_id);
    if (account === undefined || !account.frames.delete(waiting)) return;
    account.bytes -= waiting.bytes;
    if (account.frames.size === 0) this.#accounts.delete(account_id);
    this.#frames.delete(waiting);
    this.#bytes -= waiting.bytes;
  }
}

function waitingMessage(message: OrderUpdateMessage): WaitingMessage {
  return { message, bytes: Buffer.byteLength(message.body), refusals: 0 };
}
