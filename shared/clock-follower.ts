import { z } from 'zod';
import { FollowingClock, type SteadyClock, systemClock } from './clock.ts';
import { ENV } from './names.ts';

const readingSchema = z.object({ nowMs: z.number().finite(), speed: z.number().positive() });

const MAX_AGE_MS = 1_000;
const TIMEOUT_MS = 500;
/** Before the first reading there is none that could go on: only the machine's time, which may be months away. */
const FIRST_TIMEOUT_MS = 5_000;

export interface FollowerLogger {
  warn(message: string, details: { error: string }): void;
}

/** A process's clock, and what keeps it near the one it follows. */
export interface FollowedClock {
  readonly clock: SteadyClock;
  /** Reads the followed clock when the last reading is older than 1 s of wall time; never throws. */
  readonly follow: () => Promise<void>;
}

/** `CLOCK_URL` (GET -> `{"nowMs","speed"}`) names the market clock to follow; without it market time is the system's. */
export function followedClock(logger: FollowerLogger, env: NodeJS.ProcessEnv = process.env): FollowedClock {
  const url = env[ENV.clockUrl];
  if (url === undefined || url === '') return { clock: systemClock(), follow: async () => {} };
  return new ClockFollower(url, logger);
}

/** Where the followed clock does not answer, the last reading goes on and the failure is logged. */
export class ClockFollower implements FollowedClock {
  readonly clock = new FollowingClock();
  readonly #url: string;
  readonly #logger: FollowerLogger;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #hasRead = false;
  #running: Promise<void> | undefined;

  constructor(url: string, logger: FollowerLogger) {
    this.#url = url;
    this.#logger = logger;
  }

  readonly follow = (): Promise<void> => {
    if (this.#running !== undefined) return this.#running;
    if (this.clock.wallMs() - this.#triedAtMs < MAX_AGE_MS) return Promise.resolve();
    this.#running = this.#read().finally(() => {
      this.#triedAtMs = this.clock.wallMs();
      this.#running = undefined;
    });
    return this.#running;
  };

  async #read(): Promise<void> {
    try {
      const askedMs = this.clock.wallMs();
      const timeoutMs = this.#hasRead ? TIMEOUT_MS : FIRST_TIMEOUT_MS;
      const response = await fetch(this.#url, { signal: AbortSignal.timeout(timeoutMs) });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const { nowMs, speed } = readingSchema.parse(await response.json());
      // Half of the round trip passed after the other side read its clock.
      this.clock.set({ nowMs, speed, wallMs: (askedMs + this.clock.wallMs()) / 2 });
      this.#hasRead = true;
    } catch (error) {
      this.#logger.warn('the market clock does not answer; the last reading goes on', {
        error: String(error),
      });
    }
  }
}
