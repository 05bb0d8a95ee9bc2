import { setTimeout as sleep } from 'node:timers/promises';
import { hash, uniform } from '#shared/random.ts';
import type { Fleet } from './fleet.ts';
import type { FleetStreamer } from './fleet-streamer.ts';

export interface ChaosOptions {
  /** The same one gives the same faults in the same order. */
  readonly seed: number;
  readonly durationMs: number;
  readonly everyMs: number;
  readonly report: (line: string) => void;
}

/** Draws that follow from the seed alone. */
class Dice {
  readonly #seed: number;
  #throws = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From `low` up to but not including `high`. */
  between(low: number, high: number): number {
    this.#throws += 1;
    return low + uniform(this.#seed, this.#throws) * (high - low);
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.between(0, from.length))]!;
  }
}

/** Breaks something and mends it; resolves when it is mended. `spanMs`: about how long it may take. */
type Trouble = (fleet: Fleet, dice: Dice, spanMs: number) => Promise<void>;

/** A feed fault of one account, once or until the link ends. */
function ofFeed(
  ...faults: readonly { readonly kind: string; readonly [option: string]: unknown }[]
): Trouble {
  return async (fleet, dice) => {
    const account = dice.pick(fleet.accounts);
    for (const fault of faults) await fleet.fault(account, fault);
  };
}

function refused(status: number): Trouble {
  return ofFeed({ kind: 'feed_refuse', count: 2, status }, { kind: 'feed_reset', count: 1 });
}

/** What is done to one streamer that runs and is not frozen, and how it is undone; both may be down at once. */
function ofStreamer(work: (streamer: FleetStreamer, fleet: Fleet) => Promise<() => Promise<void>>): Trouble {
  return async (fleet, dice, spanMs) => {
    const streamer = dice.pick(fleet.streamers);
    const lastsMs = dice.between(0.1, 0.9) * spanMs;
    if (!streamer.isRunning || streamer.isFrozen) return;
    const undo = await work(streamer, fleet);
    await sleep(lastsMs);
    await undo();
  };
}

function ofAws(arm: (fleet: Fleet) => void): Trouble {
  return async (fleet, dice, spanMs) => {
    const lastsMs = dice.between(0.2, 0.9) * spanMs;
    arm(fleet);
    await sleep(lastsMs);
    fleet.awsProxy.clear();
  };
}

const START_AGAIN = (streamer: FleetStreamer) => () => streamer.start();

type Troubles = Readonly<Record<string, Trouble>>;

const FEED: Troubles = {
  'connection reset': ofFeed({ kind: 'feed_reset', count: 1 }),
  'closed in the middle of a frame': ofFeed({ kind: 'feed_cut_frame', count: 1 }),
  stall: ofFeed({ kind: 'feed_stall', count: 1 }),
  silence: ofFeed({ kind: 'feed_stall', count: 1 }, { kind: 'feed_no_heartbeat', count: 1 }),
  'refused with 400': refused(400),
  'refused with 403': refused(403),
  'refused with 429': refused(429),
  'refused with 503': refused(503),
  'a dead connection that counts': ofFeed(
    { kind: 'feed_hold_dead', count: 1, seconds: 5 },
    { kind: 'feed_reset', count: 1 },
  ),
};

const STREAMERS: Troubles = {
  'kill -9': ofStreamer(async (streamer) => {
    await streamer.kill();
    return START_AGAIN(streamer);
  }),
  SIGTERM: ofStreamer(async (streamer) => {
    await streamer.terminate();
    return START_AGAIN(streamer);
  }),
  frozen: ofStreamer(async (streamer) => {
    streamer.freeze();
    return async () => streamer.wake();
  }),
};

const STORES: Troubles = {
  'cut off from AWS': ofStreamer(async (streamer, fleet) => {
    const network = fleet.networks[fleet.streamers.indexOf(streamer)]!;
    await network.setMode({ kind: 'refuse' });
    network.cut();
    return () => network.setMode({ kind: 'pass' });
  }),
  'AWS hangs for one': ofStreamer(async (streamer, fleet) => {
    const network = fleet.networks[fleet.streamers.indexOf(streamer)]!;
    await network.setMode({ kind: 'stall' });
    return () => network.setMode({ kind: 'pass' });
  }),
  'AWS throttles': ofAws((fleet) => fleet.awsProxy.arm({ fault: { kind: 'throttle' }, probability: 0.5 })),
  'AWS fails': ofAws((fleet) => fleet.awsProxy.arm({ fault: { kind: 'error' }, probability: 0.5 })),
  'AWS does it twice': ofAws((fleet) => fleet.awsProxy.arm({ fault: { kind: 'twice' } })),
  'AWS loses answers': ofAws((fleet) =>
    fleet.awsProxy.arm({ fault: { kind: 'lost_answer', ms: 200 }, probability: 0.3 }),
  ),
  'Redis restarted': async (fleet, dice) => fleet.restartRedis(dice.between(0, 1_500)),
};

/** Each kind as often as the others, however many troubles it has. */
const KINDS = [FEED, STREAMERS, STORES] as const;

/**
 * One fault after another, each drawn by the seed; one that lasts longer than the pause overlaps the next. When it
 * returns, everything is mended and every streamer runs. @returns how often each was done
 */
export async function chaos(fleet: Fleet, options: ChaosOptions): Promise<ReadonlyMap<string, number>> {
  const dice = new Dice(options.seed);
  const done = new Map<string, number>();
  const running: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let turn = 0; turn * options.everyMs < options.durationMs; turn += 1) {
    const troubles = dice.pick(KINDS);
    const name = dice.pick(Object.keys(troubles));
    const second = Math.round((performance.now() - startedMs) / 1_000);
    options.report(`${second} s (${new Date(fleet.clock.nowMs()).toISOString()}): ${name}`);
    done.set(name, (done.get(name) ?? 0) + 1);
    running.push(troubles[name]!(fleet, new Dice(hash(options.seed, turn)), options.everyMs));
    await Promise.race([sleep(options.everyMs), failureOf(running)]);
  }
  await Promise.all(running);
  await fleet.clearFaults();
  return done;
}

/** Never resolves; throws what the first of them throws. */
async function failureOf(running: readonly Promise<void>[]): Promise<never> {
  await Promise.all(running);
  return new Promise(() => {});
}
