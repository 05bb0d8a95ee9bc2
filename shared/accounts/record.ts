import { z } from 'zod';
import { MARKET_STATES } from '../market/calendar.ts';
import { type Account, FEED_REASONS, SESSION_REASONS } from './types.ts';

const sessionChangeSchema = z.object({
  change_id: z.string(),
  changed_at: z.string(),
  reason: z.enum(SESSION_REASONS).optional(),
});

const feedSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  reason: z.enum(FEED_REASONS),
  since: z.string(),
  changed_at: z.string(),
  lease: z.number().int(),
  change_id: z.string(),
  session_version: z.number().int(),
  subscriptions: z.number().int(),
  unplaced: z.number().int(),
  market: z.enum(MARKET_STATES),
});

const accountSchema = z.object({
  account_id: z.string(),
  user_id: z.string(),
  api_key: z.string(),
  session_version: z.number().int(),
  status: z.enum(['active', 'login_required', 'disabled']),
  created_at: z.string(),
  session_expires_at_ms: z.number().optional(),
  session_change: sessionChangeSchema.optional(),
  feed: feedSchema.optional(),
});

/** The account in its item. @throws z.ZodError */
export function toAccount(item: unknown): Account {
  return accountOf(accountSchema.parse(item));
}

/** The account in its item, or why it is not understood. */
export function readAccount(item: unknown): Account | z.ZodError {
  const parsed = accountSchema.safeParse(item);
  return parsed.success ? accountOf(parsed.data) : parsed.error;
}

function accountOf({ session_expires_at_ms, ...account }: z.infer<typeof accountSchema>): Account {
  return session_expires_at_ms === undefined ? account : { ...account, session_expires_at_ms };
}
