/** What a text frame of the broker is about. */
export type TextFrame =
  | { readonly kind: 'order' }
  /** `limit`: instruments that a connection may have, where the text names the number. */
  | { readonly kind: 'too_many_instruments'; readonly limit: number | undefined }
  | { readonly kind: 'other' };

/** "Can't subscribe to more than 3000 instruments." (kite.trade/forum/discussion/5271) */
const TOO_MANY = /subscribe to more than\s+([\d,]+)?/i;

export function readTextFrame(text: string): TextFrame {
  const frame = parsed(text);
  // One that is cut off said that some order changed, and whose: it must not pass for text to be logged.
  if (frame?.type === 'order' || (frame === undefined && text.includes('"order"'))) return { kind: 'order' };
  if (frame?.type !== 'error' || typeof frame.data !== 'string') return { kind: 'other' };
  const found = TOO_MANY.exec(frame.data);
  if (found === null) return { kind: 'other' };
  const limit = Number(found[1]?.replaceAll(',', ''));
  return { kind: 'too_many_instruments', limit: Number.isFinite(limit) ? limit : undefined };
}

function parsed(text: string): { readonly type?: unknown; readonly data?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
