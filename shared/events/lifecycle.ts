import { z } from 'zod';
import { FEED_REASONS, SESSION_REASONS } from '../accounts/types.ts';
import { MARKET_STATES } from '../market/calendar.ts';

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
    /** `subscription_failed`, `subscription_moved`, and `subscription_removed` without an owner's wish: why. */
    reason: z.string().optional(),
    /** `subscription_moved`: where it streamed before. */
    previous_account_id: z.string().optional(),
  }),
  /** Market time of the change. */
  timestamp,
};

const accountEvent = { event_id: z.string().min(1), timestamp };

const sessionMetadata = z.object({
  account_id: z.string(),
  /** Of the session that came or died: EventBridge keeps no order, a reader keeps the highest. */
  session_version: z.number().int(),
  /** When the session's token ends by itself, or did. */
  session_expires_at: timestamp.optional(),
  /** Why it died, or that the broker took the same token again; absent for a new one. */
  reason: z.enum(SESSION_REASONS).optional(),
});

/** What is needed to move the account's subscriptions elsewhere. */
const feedMetadata = z.object({
  account_id: z.string(),
  /** Of the trouble; of an account that recovered, the one that is over. */
  reason: z.enum(FEED_REASONS),
  /** When the trouble began. */
  since: timestamp,
  /** Of the streamer that says so: a reader keeps the highest, and of one lease the newest `timestamp`. */
  lease: z.number().int(),
  session_version: z.number().int(),
  /** Instruments that the account shall stream, and how many of them have no open link. */
  subscriptions: z.number().int(),
  unplaced: z.number().int(),
  /** Derivatives' market at the time. */
  market: z.enum(MARKET_STATES),
});

export const SUBSCRIPTION_EVENT_TYPES = [
  'subscription_created',
  'subscription_activated',
  'subscription_removed',
  'subscription_failed',
  'subscription_moved',
] as const;

export const SESSION_EVENT_TYPES = ['session_refreshed', 'login_required'] as const;

export const FEED_EVENT_TYPES = ['account_degraded', 'account_recovered'] as const;

export const subscriptionEventSchema = z.object({
  event_type: z.enum(SUBSCRIPTION_EVENT_TYPES),
  ...subscriptionEvent,
});

export const sessionEventSchema = z.object({
  event_type: z.enum(SESSION_EVENT_TYPES),
  ...accountEvent,
  metadata: sessionMetadata,
});

export const feedEventSchema = z.object({
  event_type: z.enum(FEED_EVENT_TYPES),
  ...accountEvent,
  metadata: feedMetadata,
});

/** What stands on `<prefix>:events` and, with `event_type` as detail-type, on the bus. */
export const lifecycleEventSchema = z.discriminatedUnion('event_type', [
  subscriptionEventSchema,
  sessionEventSchema,
  feedEventSchema,
]);

export type SubscriptionEvent = z.infer<typeof subscriptionEventSchema>;
export type SessionEvent = z.infer<typeof sessionEventSchema>;
export type FeedEvent = z.infer<typeof feedEventSchema>;
export type LifecycleEvent = z.infer<typeof lifecycleEventSchema>;
