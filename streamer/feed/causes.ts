/** Why a connection ended, did not come about or was replaced; the label of the reconnect counter. */
export const DISCONNECT_CAUSES = [
  'closed_by_broker',
  'silent',
  'network',
  'refused_400',
  'refused_403',
  'refused_429',
  'refused_5xx',
  'refused_other',
  'no_session',
  'new_session',
  'stalled',
] as const;
export type DisconnectCause = (typeof DISCONNECT_CAUSES)[number];

/** What the broker's HTTP status at the upgrade means: 403 a dead session, 429 too many connections. */
export function causeOfRefusal(status: number): DisconnectCause {
  if (status === 400) return 'refused_400';
  if (status === 403) return 'refused_403';
  if (status === 429) return 'refused_429';
  return status >= 500 ? 'refused_5xx' : 'refused_other';
}

/** Replacements and waiting for a session are no trouble of the link. */
export function isTrouble(cause: DisconnectCause): boolean {
  return cause !== 'new_session' && cause !== 'no_session';
}
