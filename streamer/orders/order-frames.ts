import { createHash } from 'node:crypto';
import { z } from 'zod';
import { orderOfFrameSchema } from '#shared/orders/updates.ts';
import { Copies, type OrderLink } from './copies.ts';
import type { AccountOrderCounts } from './counts.ts';
import { describeOrder } from './describe-order.ts';
import type { OrderOutbox } from './outbox.ts';

export interface OrderFramesParts {
  readonly accountId: string;
  readonly outbox: Pick<OrderOutbox, 'frame' | 'sync'>;
  readonly counts: AccountOrderCounts;
  /** The lease held, or undefined. */
  lease(): number | undefined;
  /** A frame that cannot be handed on; `details` hold nothing personal. */
  onMalformed(problem: string, details: Record<string, unknown>): void;
}

const frameSchema = z.object({ type: z.literal('order'), data: orderOfFrameSchema });

/** Contents of which copies may still come from a slower link; an order makes about five. */
const REMEMBERED = 4_096;

/**
 * Order frames of one account, from whichever of its connections, each change once. When a connection is lost,
 * frames may have passed the account by: then one sync is asked for, as soon as another one is open.
 */
export class OrderFrames {
  readonly #parts: OrderFramesParts;
  readonly #copies = new Copies(REMEMBERED);
  readonly #links = new Map<number, OrderLink>();
  #mayHaveMissed = true;
  #lease = 0;

  constructor(parts: OrderFramesParts) {
    this.#parts = parts;
  }

  /** @param connection tells it from the account's other connections */
  opened(connection: number): void {
    this.#links.set(connection, this.#copies.open());
    if (!this.#mayHaveMissed) return;
    this.#mayHaveMissed = false;
    this.missed();
  }

  /** Frames may have been lost although connections stayed open. */
  missed(): void {
    this.#parts.outbox.sync(this.#parts.accountId, this.#currentLease(), 'connected');
  }

  /** The connection was ended on purpose: the others have what it would have brought. */
  left(connection: number): void {
    this.#links.delete(connection);
  }

  /** Harmless for one that was not open. */
  lost(connection: number): void {
    if (!this.#links.delete(connection)) return;
    // Dead for a while before it was noticed, and nothing need open any more: the others may have opened since.
    if (this.#links.size > 0) this.missed();
    else this.#mayHaveMissed = true;
  }

  /** A text frame whose type is `order`. */
  received(connection: number, text: string): void {
    const parsed = frameSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      this.#malformed(parsed.error, text);
      return;
    }
    const order = parsed.data.data;
    // Thousands are remembered: the hash is a tenth of the order.
    const content = createHash('sha256').update(JSON.stringify(order)).digest('base64');
    const occurrence = this.#copies.occurrence(this.#link(connection), content);
    if (occurrence === undefined) this.#parts.counts.copies += 1;
    else {
      const { outbox, accountId } = this.#parts;
      outbox.frame(accountId, this.#currentLease(), order, `${occurrence} ${content}`);
    }
  }

  #link(connection: number): OrderLink {
    const known = this.#links.get(connection) ?? this.#copies.open();
    this.#links.set(connection, known);
    return known;
  }

  /** Some order changed in a way that is not known: the order book has it. */
  #malformed(error: z.ZodError, text: string): void {
    this.#parts.counts.malformed += 1;
    const problem = error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; ');
    this.#parts.onMalformed(problem, {
      bytes: Buffer.byteLength(text),
      order: describeOrder(parseJson(text)),
    });
    this.#parts.outbox.sync(this.#parts.accountId, this.#currentLease(), 'malformed');
  }

  /** What a frame that comes between the loss of the lease and the end of its connection is marked with. */
  #currentLease(): number {
    this.#lease = this.#parts.lease() ?? this.#lease;
    return this.#lease;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
