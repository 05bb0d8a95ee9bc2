import { z } from 'zod';
import { instrumentSchema } from '../market/instrument-schema.ts';
import type { Claim } from './claims.ts';

const modeSchema = z.enum(['ltp', 'quote', 'full']);

/** The subscription's own item. Times are market time, ISO 8601. */
export const subscriptionRecordSchema = z.object({
  instrument_token: z.number().int(),
  account_id: z.string(),
  mode: modeSchema,
  status: z.enum(['active', 'removed']),
  /** Grows with every change that a reader of the stream can see, also over removal and return. */
  version: z.number().int(),
  /** Grows with every write: what optimistic writers check. */
  revision: z.number().int(),
  /** Names the last write; the event about it carries the same id, so that it can be told twice and counted once. */
  change_id: z.string(),
  instrument: instrumentSchema,
  created_at: z.string(),
  updated_at: z.string(),
});

export type SubscriptionRecord = z.infer<typeof subscriptionRecordSchema>;

export const claimSchema: z.ZodType<Claim> = z.object({
  owner: z.string(),
  mode: modeSchema,
  created_at: z.string(),
});

export const accountSubscriptionSchema = z.object({
  instrument_token: z.number().int(),
  mode: modeSchema,
  version: z.number().int(),
  instrument: instrumentSchema,
});

/** A subscription with everybody's claims; a tombstone has none. */
export interface LoadedSubscription {
  readonly record: SubscriptionRecord;
  readonly claims: readonly Claim[];
}
