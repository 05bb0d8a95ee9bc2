import { z } from 'zod';
import { instrumentSchema } from '../market/instrument-schema.ts';
import type { Claim } from './claims.ts';

const modeSchema = z.enum(['ltp', 'quote', 'full']);

const activationSchema = z.object({
  /** Of the subscription when its streamer saw the first tick. */
  version: z.number().int(),
  /** The event about it carries the same id. */
  change_id: z.string(),
  activated_at: z.string(),
});

/**
 * Why a subscription ended that nobody gave up: its contract `expired`; it has another token now, where its claims went
 * (`token_changed`); or the day's dump has it no more (`instrument_gone`).
 */
export const END_REASONS = ['expired', 'token_changed', 'instrument_gone'] as const;
export type EndReason = (typeof END_REASONS)[number];

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
  /** Set by the streamer, once: writers change the item around it, and only a new start takes it away. */
  activation: activationSchema.optional(),
  /** Of a removed one that nobody gave up. */
  end_reason: z.enum(END_REASONS).optional(),
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
  activated_version: z.number().int().optional(),
});

/** A subscription with everybody's claims; a tombstone has none. */
export interface LoadedSubscription {
  readonly record: SubscriptionRecord;
  readonly claims: readonly Claim[];
}
