import { z } from 'zod';

/** The fields of `POST /orders/{variety}` that this service sends, under the broker's names. */
export interface BrokerOrder {
  readonly variety: string;
  readonly exchange: string;
  readonly tradingsymbol: string;
  readonly transaction_type: 'BUY' | 'SELL';
  readonly order_type: string;
  readonly quantity: number;
  readonly product: string;
  readonly validity: string;
  readonly price?: number | undefined;
  readonly trigger_price?: number | undefined;
  readonly validity_ttl?: number | undefined;
  readonly disclosed_quantity?: number | undefined;
  readonly iceberg_legs?: number | undefined;
  readonly iceberg_quantity?: number | undefined;
  readonly auction_number?: string | undefined;
  readonly market_protection?: number | undefined;
  readonly tag: string;
}

/** What tells an order from another in the broker's order book; every other field passes through unread. */
export const orderRowSchema = z.looseObject({
  order_id: z.string().min(1),
  status: z.string(),
  tag: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  parent_order_id: z.string().nullish().catch(undefined),
  meta: z
    .looseObject({ iceberg: z.looseObject({ leg: z.number() }).optional() })
    .nullish()
    .catch(undefined),
});
export type OrderRow = z.infer<typeof orderRowSchema>;

export const orderBookSchema = z.array(orderRowSchema);

/** The answer to a placement; with slices made by the broker there are `children` too. */
export const placedSchema = z.looseObject({ order_id: z.string().min(1) });

/** A refusal, as the broker words it and as its client passes it on. */
export const failureSchema = z.looseObject({
  message: z.string().optional().catch(undefined),
  error_type: z.string().optional().catch(undefined),
});

/**
 * The placements that carry the tag: `tag` as sent, or among `tags` where a reader added some. Rows that the broker
 * made of one of them itself (the second leg of a cover order, later legs of an iceberg) are no placements.
 */
export function placementsTagged(rows: readonly OrderRow[], tag: string): OrderRow[] {
  const tagged = rows.filter((row) => row.tag === tag || (row.tags ?? []).includes(tag));
  const placed = tagged.filter((row) => !row.parent_order_id && (row.meta?.iceberg?.leg ?? 1) <= 1);
  return placed.length > 0 ? placed : tagged;
}
