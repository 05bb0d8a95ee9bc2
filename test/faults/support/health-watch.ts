import type { Streamer } from '#streamer/streamer.ts';

const LOOK_MS = 10;
/** A link of which some instrument ticks every second: a pause beyond this is one that health tells of. */
const PAUSE_MS = 1_200;

/** What health says of an account, as far as it tells whether ticks flow. */
export interface ShownAccount {
  readonly lease: number | null;
  readonly unplaced: number;
  readonly last_tick_at: string | null;
  readonly connections: readonly {
    readonly state: string;
    readonly instruments: number;
    readonly last_tick_age_ms?: number | null | undefined;
  }[];
}

/**
 * Since when, in market time (epoch ms), an account's health says that ticks do not flow on one of its links; undefined:
 * they do. A round's ticks carry its beginning and leave within the second after it: that second counts too.
 */
export function quietSinceMs(account: ShownAccount, nowMs: number): number | undefined {
  const lastMs = account.last_tick_at === null ? nowMs : Date.parse(account.last_tick_at);
  const carrying = account.connections.filter(({ instruments }) => instruments > 0);
  // One link may be silent while the account's others go on.
  const ages = carrying.map(({ last_tick_age_ms }) => last_tick_age_ms ?? 0);
  const sinceMs = Math.min(lastMs, nowMs, nowMs - Math.max(0, ...ages));
  const isWhole = account.lease !== null && account.unplaced === 0;
  const isOpen = account.connections.every(({ state }) => state === 'open');
  const isBegun = carrying.every(({ last_tick_age_ms }) => last_tick_age_ms !== null);
  return isWhole && isOpen && isBegun && nowMs - sinceMs < PAUSE_MS ? undefined : sinceMs - 1_000;
}

/** Looks at health often and remembers the exchange seconds for which it said that ticks did not flow. */
export class HealthWatch {
  readonly quiet = new Set<number>();
  readonly #streamer: Streamer;
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;
  #reconnects: number;
  #lookedMs: number;
  #wasQuiet = false;

  /** `nowMs`: market time. */
  constructor(streamer: Streamer, nowMs: () => number) {
    this.#streamer = streamer;
    this.#nowMs = nowMs;
    this.#reconnects = reconnectsOf(streamer);
    this.#lookedMs = nowMs();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    this.#look();
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = this.#nowMs();
    const reconnects = reconnectsOf(this.#streamer);
    // A link may be lost and back between two looks: then only the counter tells.
    if (reconnects > this.#reconnects) this.#add(this.#lookedMs - 1_000, nowMs);
    // And what was quiet at the last look was so until some moment before this one.
    if (this.#wasQuiet) this.#add(this.#lookedMs, nowMs);
    const since = this.#streamer.report().accounts.map((account) => quietSinceMs(account, nowMs));
    for (const sinceMs of since) if (sinceMs !== undefined) this.#add(sinceMs, nowMs);
    this.#wasQuiet = since.some((sinceMs) => sinceMs !== undefined);
    this.#reconnects = reconnects;
    this.#lookedMs = nowMs;
  }

  #add(fromMs: number, toMs: number): void {
    for (let second = Math.floor(fromMs / 1_000); second <= toMs / 1_000; second += 1) this.quiet.add(second);
  }
}

function reconnectsOf(streamer: Streamer): number {
  const connections = streamer.report().accounts.flatMap((account) => account.connections);
  return connections.reduce((sum, { reconnects }) => sum + reconnects, 0);
}
