import type { Snapshot } from '#shared/market/snapshot.ts';
import type { Sent } from './sent.ts';
import { keyOf, type TickKey, timeOf } from './tick-key.ts';

/** Exchange seconds that a comparison looks at, both ends included. */
export interface Span {
  readonly fromS: number;
  readonly toS: number;
}

/** How what was read differs from what was sent within a span. */
export interface Difference {
  readonly sent: number;
  readonly read: number;
  /** Sent and not read. */
  readonly missing: readonly { readonly token: number; readonly timeS: number }[];
  /** Read twice or more. */
  readonly doubled: number;
  /** Read and never sent. */
  readonly invented: number;
  /** Instruments whose ticks did not come in the order in which they were sent. */
  readonly disordered: number;
  /** Instruments whose newest tick is not the newest one sent. */
  readonly stale: number;
}

/** Exact by instrument: order, doubles, and everything that is missing. */
export function difference(sent: Sent, ticks: readonly Snapshot[], span: Span): Difference {
  const read = new Map<number, TickKey[]>();
  for (const tick of ticks) {
    const keys = read.get(tick.instrument_token) ?? [];
    read.set(tick.instrument_token, keys);
    keys.push(keyOf(tick));
  }
  return differenceOf(sent, read, span);
}

/** The same of what was read by instrument, in the order of reading. */
export function differenceOf(sent: Sent, read: Sent, span: Span): Difference {
  const within = (key: TickKey) => timeOf(key) >= span.fromS && timeOf(key) <= span.toS;
  const total = { sent: 0, read: 0, doubled: 0, invented: 0, disordered: 0, stale: 0 };
  const missing: { token: number; timeS: number }[] = [];
  for (const token of new Set([...sent.keys(), ...read.keys()])) {
    const whole = [...new Set((sent.get(token) ?? []).filter(within))];
    const keys = (read.get(token) ?? []).filter(within);
    const once = [...new Set(keys)];
    const positions = new Map(whole.map((key, index) => [key, index]));
    const known = once.filter((key) => positions.has(key)).map((key) => positions.get(key)!);
    total.sent += whole.length;
    total.read += known.length;
    total.doubled += keys.length - once.length;
    total.invented += once.length - known.length;
    if (known.some((position, index) => index > 0 && position < known[index - 1]!)) total.disordered += 1;
    if (whole.at(-1) !== once.at(-1)) total.stale += 1;
    const got = new Set(once);
    for (const key of whole) if (!got.has(key)) missing.push({ token, timeS: timeOf(key) });
  }
  return { ...total, missing };
}
