import type { Snapshot } from '../market/snapshot.ts';
import type { TickEnvelope } from './envelope.ts';

interface Folding {
  readonly envelope: TickEnvelope;
  readonly ticks: Map<number, Snapshot>;
  folded: number;
}

/**
 * Replaces envelopes by one for each account and channel, with the newest tick of each instrument. Nothing is hidden:
 * `folded` counts every tick that was replaced, here and by the publisher.
 */
export function foldEnvelopes<E extends TickEnvelope>(
  envelopes: readonly E[],
  keyOf: (envelope: E) => string,
): E[] {
  const foldings = new Map<string, Folding & { readonly envelope: E }>();
  for (const envelope of envelopes) {
    const key = keyOf(envelope);
    const before = foldings.get(key);
    const ticks = before?.ticks ?? new Map<number, Snapshot>();
    let folded = (before?.folded ?? 0) + envelope.folded;
    for (const tick of envelope.ticks) {
      // The newest one's place is at the end, where it came.
      if (ticks.delete(tick.instrument_token)) folded += 1;
      ticks.set(tick.instrument_token, tick);
    }
    foldings.set(key, { envelope, ticks, folded });
  }
  return [...foldings.values()].map(({ envelope, ticks, folded }) => ({
    ...envelope,
    folded,
    ticks: [...ticks.values()],
  }));
}
