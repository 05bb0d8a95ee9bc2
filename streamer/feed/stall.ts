import type { FlowMeter } from './flow.ts';

/** Of the time after which silence is a stall: others move now if they did within it, and must have for as long. */
const LATELY = 1 / 3;

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

/** `alone`: nothing here tells whether the market or the link is quiet, so a second link has to be asked. */
export type StallVerdict = 'flowing' | 'stalled' | 'alone';

/** Since when something else moves without a pause: of a market that begins to move all links are quiet but one. */
export class Movement {
  #sinceMs: number | undefined;

  /**
   * @param newestMs steady time of the newest tick on any other link that this process knows
   * @returns for how long they have moved; undefined: they rest
   */
  observe(newestMs: number, nowMs: number, settings: Pick<StallSettings, 'afterMs'>): number | undefined {
    const isMoving = newestMs > 0 && newestMs > nowMs - settings.afterMs * LATELY;
    this.#sinceMs = isMoving ? (this.#sinceMs ?? nowMs) : undefined;
    return this.#sinceMs === undefined ? undefined : nowMs - this.#sinceMs;
  }

  forget(): void {
    this.#sinceMs = undefined;
  }
}

/**
 * Illiquid is no stall: what ticks every 20 s is not missed after 15. Nor is a quiet market: something else must have
 * moved for a while.
 * @param isSuspect this silence was taken for a stall before: it does not become none by lasting
 */
export function stallVerdict(
  flow: Pick<FlowMeter, 'lastMs' | 'startedMs' | 'meanGapMs'>,
  othersMoveForMs: number | undefined,
  nowMs: number,
  settings: StallSettings,
  isSuspect = false,
): StallVerdict {
  if (flow.lastMs === 0) return isBornSilent(flow, othersMoveForMs, nowMs, settings) ? 'alone' : 'flowing';
  const quietMs = nowMs - flow.lastMs;
  if (quietMs < settings.afterMs) return 'flowing';
  if (quietMs > settings.flowWindowMs && !isSuspect) return 'flowing';
  if (quietMs < settings.quietGaps * flow.meanGapMs) return 'flowing';
  if (othersMoveForMs !== undefined) {
    return othersMoveForMs >= settings.afterMs * LATELY ? 'stalled' : 'flowing';
  }
  const isAlone = settings.aloneAfterMs > 0 && quietMs >= settings.aloneAfterMs;
  return isAlone ? 'alone' : 'flowing';
}

/** Not even the snapshots that follow a subscription came. */
function isBornSilent(
  flow: Pick<FlowMeter, 'startedMs'>,
  othersMoveForMs: number | undefined,
  nowMs: number,
  settings: StallSettings,
): boolean {
  if (settings.aloneAfterMs === 0) return false;
  const isOthersMoving = (othersMoveForMs ?? 0) >= settings.afterMs * LATELY;
  return nowMs - flow.startedMs >= (isOthersMoving ? settings.afterMs : settings.aloneAfterMs);
}

/** Names a silence: it is asked about once, one from a link's first moment on again in each further window. */
export function silenceOf(
  flow: Pick<FlowMeter, 'lastMs' | 'startedMs'>,
  nowMs: number,
  { flowWindowMs }: Pick<StallSettings, 'flowWindowMs'>,
): number {
  if (flow.lastMs > 0) return flow.lastMs;
  return -(flow.startedMs + Math.floor((nowMs - flow.startedMs) / flowWindowMs));
}
