import type { FlowMeter } from './flow.ts';

/** Of the time after which silence is a stall: others move now if they did within it, and must have for as long. */
const LATELY = 1 / 3;

export interface StallSettings {
  /** No tick for so long, though the link lives. */
  readonly afterMs: number;
  /** A link whose newest tick is older than this had no flow to lose: only a second one can tell. */
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

/** What is known of a silence besides its link's flow. */
export interface SilenceContext {
  /** It was taken for a stall before: it does not become none by lasting. */
  readonly isSuspect?: boolean;
  /** Steady time at which the market was last seen closed; 0: never. */
  readonly closedMs?: number;
}

/**
 * Illiquid is no stall: what ticks every 20 s is not missed after 15. Nor is a quiet market: something else must have
 * moved for a while. A link that brought nothing for so long that there was no flow to lose may be either.
 */
export function stallVerdict(
  flow: Pick<FlowMeter, 'lastMs' | 'startedMs' | 'meanGapMs'>,
  othersMoveForMs: number | undefined,
  nowMs: number,
  settings: StallSettings,
  { isSuspect = false, closedMs = 0 }: SilenceContext = {},
): StallVerdict {
  // Of a link that is silent since it opened not even the snapshots that follow a subscription came.
  const isBornSilent = flow.lastMs === 0;
  const sinceMs = isBornSilent ? flow.startedMs : flow.lastMs;
  const quietMs = nowMs - sinceMs;
  if (quietMs < settings.afterMs) return 'flowing';
  if (!isBornSilent && quietMs < settings.quietGaps * flow.meanGapMs) return 'flowing';
  const areOthersMoving = (othersMoveForMs ?? 0) >= settings.afterMs * LATELY;
  if (!isBornSilent && othersMoveForMs !== undefined && (isSuspect || quietMs <= settings.flowWindowMs)) {
    return areOthersMoving ? 'stalled' : 'flowing';
  }
  if (settings.aloneAfterMs === 0) return 'flowing';
  const missedMs = nowMs - Math.max(sinceMs, closedMs);
  return missedMs >= (areOthersMoving ? settings.afterMs : settings.aloneAfterMs) ? 'alone' : 'flowing';
}

/** Of the flow window: so much time passes at most between two questions about one silence. */
const MAX_WAIT_WINDOWS = 4;

/** When a second link is asked about a silence: at once, and ever more rarely for as long as it lasts. */
export class Questions {
  #silence = Number.NaN;
  #waitMs = 0;
  #notBeforeMs = 0;

  isDue(flow: Pick<FlowMeter, 'lastMs' | 'startedMs'>, nowMs: number): boolean {
    return nameOf(flow) !== this.#silence || nowMs >= this.#notBeforeMs;
  }

  asked(
    flow: Pick<FlowMeter, 'lastMs' | 'startedMs'>,
    nowMs: number,
    { flowWindowMs }: Pick<StallSettings, 'flowWindowMs'>,
  ): void {
    const isAgain = nameOf(flow) === this.#silence;
    this.#silence = nameOf(flow);
    this.#waitMs = isAgain ? Math.min(this.#waitMs * 2, flowWindowMs * MAX_WAIT_WINDOWS) : flowWindowMs;
    this.#notBeforeMs = nowMs + this.#waitMs;
  }

  /** The link that was to answer did not come about: that was no question. */
  failed(): void {
    this.#waitMs /= 2;
    this.#notBeforeMs = 0;
  }
}

function nameOf({ lastMs, startedMs }: Pick<FlowMeter, 'lastMs' | 'startedMs'>): number {
  return lastMs > 0 ? lastMs : -startedMs;
}
