/** Names whose values never reach a log, in the broker's spelling and in ours. `instrument_token` is none of them. */
const SECRET_NAMES = new Set([
  'password',
  'api_secret',
  'access_token',
  'public_token',
  'refresh_token',
  'request_token',
  'enctoken',
  'totp_secret',
  'twofa_value',
  'checksum',
  'authorization',
  'x-api-key',
  'key',
  'cookie',
  'set-cookie',
  // Of an order: who placed it, and what ties it to that person.
  'placed_by',
  'user_id',
  'guid',
]);

/** Secrets inside text: query strings, the broker's `token api_key:access_token` header, JSON that is logged as a text. */
const SECRET_IN_TEXT =
  /\b(access_token|refresh_token|request_token|enctoken|api_secret|password)=[^&\s"]+|\btoken \w+:\w+|"(placed_by|user_id|guid|checksum|access_token|enctoken)"\s*:\s*"[^"]*/g;

export const REDACTED = '[redacted]';

/** A `JSON.stringify` replacer, the one rule of every logger. */
export function redact(name: string, value: unknown): unknown {
  if (SECRET_NAMES.has(name.toLowerCase())) return value === undefined ? undefined : REDACTED;
  if (typeof value !== 'string') return value;
  return value.replace(SECRET_IN_TEXT, (_match, field: string | undefined, member: string | undefined) => {
    if (member !== undefined) return `"${member}":"${REDACTED}`;
    return field === undefined ? `token ${REDACTED}` : `${field}=${REDACTED}`;
  });
}
