import { toAccount } from '#shared/accounts/record.ts';
import type { Account } from '#shared/accounts/types.ts';
import type { FeedEvent, SessionEvent } from '#shared/events/lifecycle.ts';

/** What a change of an account's item is to other systems: one write changes its session or its feed, never both. */
export function accountEvent(before: unknown, after: unknown): SessionEvent | FeedEvent | undefined {
  if (before === undefined || after === undefined) return undefined;
  const old = toAccount(before);
  const account = toAccount(after);
  return sessionEvent(old, account) ?? feedEvent(old, account);
}

function sessionEvent(before: Account, after: Account): SessionEvent | undefined {
  const { session_change: change, session_expires_at_ms: expiresAtMs } = after;
  if (change === undefined || change.change_id === before.session_change?.change_id) return undefined;
  return {
    event_id: change.change_id,
    event_type: after.status === 'login_required' ? 'login_required' : 'session_refreshed',
    metadata: {
      account_id: after.account_id,
      session_version: after.session_version,
      ...(expiresAtMs === undefined ? {} : { session_expires_at: new Date(expiresAtMs).toISOString() }),
      ...(change.reason === undefined ? {} : { reason: change.reason }),
    },
    timestamp: change.changed_at,
  };
}

function feedEvent({ feed: before }: Account, { account_id, feed }: Account): FeedEvent | undefined {
  if (feed === undefined || feed.change_id === before?.change_id) return undefined;
  const { change_id, changed_at, status, ...metadata } = feed;
  return {
    event_id: change_id,
    event_type: status === 'degraded' ? 'account_degraded' : 'account_recovered',
    metadata: { account_id, ...metadata },
    timestamp: changed_at,
  };
}
