import type { FlowMeter } from './flow.ts';

export interface StallSettings {
  /** No tick for so long, though the link lives. */
  readonly afterMs: number;
  /** A link whose newest tick is older than this had no flow to lose. */
  readonly flowWindowMs: number;
  /** A silence is out of the ordinary from so many of the link's usual distances between frames on. */
  readonly quietGaps: number;
  /** When nothing else is known to move; 0: never. */
  readonly aloneAfterMs: number;
}

/** `alone`: nothing else moves either, so only a second link can tell whether the market or the link is quiet. */
export type StallVerdict = 'flowing' | 'stalled' | 'alone';

/**
 * Illiquid is no stall: what ticks every 20 s is not missed after 15. Nor is a quiet market: something else must have
 * moved lately.
 * @param elsewhereMs steady time of the newest tick on any other link that this process knows
 */
export function stallVerdict(
  flow: Pick<FlowMeter, 'lastMs' | 'meanGapMs'>,
  elsewhereMs: number,
  nowMs: number,
  settings: StallSettings,
): StallVerdict {
  const quietMs = nowMs - flow.lastMs;
  if (flow.lastMs === 0 || quietMs < settings.afterMs || quietMs > settings.flowWindowMs) return 'flowing';
  if (quietMs < settings.quietGaps * flow.meanGapMs) return 'flowing';
  if (elsewhereMs > nowMs - settings.afterMs / 3) return 'stalled';
  const isAlone = settings.aloneAfterMs > 0 && quietMs >= settings.aloneAfterMs;
  return isAlone ? 'alone' : 'flowing';
}
