/** What may be said of an order in a log. Whoever placed it, its guid, its tag and its messages are nobody's business. */
const HARMLESS = ['order_id', 'status', 'variety', 'exchange', 'tradingsymbol', 'order_timestamp'] as const;
const MAX_LENGTH = 64;

/** An order frame as a log may hold it: a few fields cut short, and the names of all, without their values. */
export function describeOrder(frame: unknown): Record<string, unknown> {
  const data = isRecord(frame) ? frame.data : undefined;
  if (!isRecord(data)) return { type: data === null ? 'null' : typeof data };
  const shown: Record<string, unknown> = {};
  for (const name of HARMLESS) {
    const value = data[name];
    if (typeof value === 'string') shown[name] = value.slice(0, MAX_LENGTH);
    else if (typeof value === 'number') shown[name] = value;
  }
  return { ...shown, fields: Object.keys(data).slice(0, MAX_LENGTH).join(' ') };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
