import { createHash } from 'node:crypto';
import { z } from 'zod';

const common = {
  v: z.literal(1),
  account_id: z.string().min(1),
  /** Of the streamer that wrote it: tells holders apart, decides nothing. */
  lease: z.number().int().min(0),
  /** ISO 8601, market time: of the frame's arrival, or of the newest reason for the sync. */
  received_at: z.iso.datetime(),
};

/** What a frame's `data` must have to be handed on at all; the other fields go through as they came. */
export const orderOfFrameSchema = z.looseObject({
  order_id: z.string().regex(/^[\w-]{1,64}$/),
  status: z.string().min(1),
});

export type OrderOfFrame = z.infer<typeof orderOfFrameSchema>;

/** Why the order book has to be read: what frames alone can no longer tell. */
export const SYNC_REASONS = ['connected', 'dropped', 'malformed'] as const;
export type SyncReason = (typeof SYNC_REASONS)[number];

/**
 * A message of the order merger's queue. A `frame` is one change of one order as the broker's socket told it
 * (kite.trade/docs/connect/v3/postbacks: the object of a postback). A `sync` asks for the account's whole order
 * book; a book that was asked for after its `received_at` answers it.
 */
export const orderUpdateSchema = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('frame'), order: orderOfFrameSchema }),
  z.object({ ...common, kind: z.literal('sync'), reason: z.enum(SYNC_REASONS) }),
]);

export type OrderUpdate = z.infer<typeof orderUpdateSchema>;

/** A message ready for the queue. */
export interface OrderUpdateMessage {
  readonly kind: OrderUpdate['kind'];
  readonly account_id: string;
  /** The queue keeps the order within it. */
  readonly group: string;
  /** The queue takes a second one of the same within 5 minutes for the first. */
  readonly deduplication: string;
  readonly body: string;
}

/** SQS refuses these two characters, which JSON leaves as they are. */
const NOT_ALLOWED = /[\uFFFE\uFFFF]/g;

/**
 * @param content tells one change from another: the same for every copy of a frame, whichever link brought it
 */
export function orderUpdateMessage(update: OrderUpdate, content: string): OrderUpdateMessage {
  const { account_id, kind } = update;
  return {
    kind,
    account_id,
    group: kind === 'frame' ? `${account_id}:${update.order.order_id}` : account_id,
    deduplication: createHash('sha256').update(`${account_id} ${kind} ${content}`).digest('hex'),
    body: JSON.stringify(update).replace(NOT_ALLOWED, (char) => `\\u${char.charCodeAt(0).toString(16)}`),
  };
}
