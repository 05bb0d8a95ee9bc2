import { z } from 'zod';

const timestamp = z.iso.datetime();

const subscriptionEvent = {
  /** The same however often the event is told. */
  event_id: z.string().min(1),
  instrument_token: z.number().int().positive(),
  /** Of the subscription: EventBridge keeps no order, a reader keeps the highest. */
  version: z.number().int().positive(),
  metadata: z.object({
    tradingsymbol: z.string(),
    exchange: z.string(),
    account_id: z.string(),
    requested_mode: z.enum(['ltp', 'quote', 'full']),
    /** `subscription_failed` and `subscription_moved`: why. */
    reason: z.string().optional(),
    /** `subscription_moved`: where it streamed before. */
    previous_account_id: z.string().optional(),
  }),
  /** Market time of the change. */
  timestamp,
};

const accountEvent = {
  event_id: z.string().min(1),
  metadata: z.object({ account_id: z.string(), reason: z.string().optional() }),
  timestamp,
};

export const SUBSCRIPTION_EVENT_TYPES = [
  'subscription_created',
  'subscription_activated',
  'subscription_removed',
  'subscription_failed',
  'subscription_moved',
] as const;

export const ACCOUNT_EVENT_TYPES = [
  'session_refreshed',
  'login_required',
  'account_degraded',
  'account_recovered',
] as const;

export const subscriptionEventSchema = z.object({
  event_type: z.enum(SUBSCRIPTION_EVENT_TYPES),
  ...subscriptionEvent,
});

export const accountEventSchema = z.object({ event_type: z.enum(ACCOUNT_EVENT_TYPES), ...accountEvent });

/** What stands on `<prefix>:events` and, with `event_type` as detail-type, on the bus. */
export const lifecycleEventSchema = z.discriminatedUnion('event_type', [
  subscriptionEventSchema,
  accountEventSchema,
]);

export type SubscriptionEvent = z.infer<typeof subscriptionEventSchema>;
export type AccountEvent = z.infer<typeof accountEventSchema>;
export type LifecycleEvent = z.infer<typeof lifecycleEventSchema>;
