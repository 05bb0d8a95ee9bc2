import { FEED_MODES, type FeedMode } from '#shared/market/instrument.ts';

/** What a client may say; everything else is an error that is told back while the link stays up. */
export type ClientMessage =
  | { readonly action: 'subscribe' | 'unsubscribe'; readonly tokens: readonly number[] }
  | { readonly action: 'mode'; readonly mode: FeedMode; readonly tokens: readonly number[] }
  | { readonly action: 'invalid'; readonly reason: string };

const MAX_TOKEN = 0xffff_ffff;

export function parseClientMessage(text: string): ClientMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return invalid('the message is not JSON');
  }
  if (typeof message !== 'object' || message === null) return invalid('the message is no object');
  const { a, v } = message as { a?: unknown; v?: unknown };
  if (a === 'subscribe' || a === 'unsubscribe') {
    return isTokens(v)
      ? { action: a, tokens: v }
      : invalid(`"v" of ${a} must be a list of instrument tokens`);
  }
  if (a !== 'mode') return invalid('"a" must be subscribe, unsubscribe or mode');
  if (!Array.isArray(v) || !isMode(v[0]))
    return invalid(`"v" of mode must be [${FEED_MODES.join('|')}, [tokens]]`);
  const tokens: unknown = v[1];
  return isTokens(tokens)
    ? { action: 'mode', mode: v[0], tokens }
    : invalid('"v" of mode must carry a list of instrument tokens');
}

function invalid(reason: string): ClientMessage {
  return { action: 'invalid', reason };
}

function isMode(value: unknown): value is FeedMode {
  return FEED_MODES.some((mode) => mode === value);
}

function isTokens(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.every((token) => Number.isInteger(token) && token > 0 && token <= MAX_TOKEN)
  );
}
