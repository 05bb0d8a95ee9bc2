import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import type { Snapshot } from '#shared/market/snapshot.ts';
import type { TickChannel } from '#shared/messages/channels.ts';
import { isTicks, readTicks, type TicksEvent } from '#shared/messages/reader.ts';

/** Everything that a reader saw on the tick channels since it started. */
export class Collector {
  readonly envelopes: TicksEvent[] = [];
  readonly #ending = new AbortController();
  readonly #reading: Promise<void>;

  constructor(channels?: readonly TickChannel[]) {
    this.#reading = this.#read(channels);
  }

  async #read(channels: readonly TickChannel[] | undefined): Promise<void> {
    const redisUrl = inject('platform').outputs.redis_url;
    const selected = channels === undefined ? {} : { channels };
    const options = { redisUrl, from: 'live', signal: this.#ending.signal, ...selected } as const;
    for await (const event of readTicks(options)) {
      if (isTicks(event)) this.envelopes.push(event);
    }
  }

  snapshots(): Snapshot[] {
    return this.envelopes.flatMap((envelope) => envelope.ticks);
  }

  of(instrumentToken: number): Snapshot[] {
    return this.snapshots().filter((tick) => tick.instrument_token === instrumentToken);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#reading;
  }

  static async for(durationMs: number): Promise<Collector> {
    const collector = new Collector();
    await sleep(durationMs);
    await collector.stop();
    return collector;
  }
}

/**
 * Holes in the sequence of an account's channel within one lease: `seq` counts from 1 without holes.
 * Answers the missing numbers by channel and lease.
 */
export function holes(envelopes: readonly TicksEvent[]): string[] {
  const last = new Map<string, number>();
  const found: string[] = [];
  for (const { account_id, channel, lease, seq } of envelopes) {
    const key = `${account_id}/${channel}/lease ${lease}`;
    const before = last.get(key);
    if (before !== undefined && seq !== before + 1) found.push(`${key}: ${before} -> ${seq}`);
    last.set(key, seq);
  }
  return found;
}
