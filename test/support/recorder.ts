import type { Snapshot } from '#shared/market/snapshot.ts';
import { TICK_CHANNELS } from '#shared/messages/channels.ts';
import {
  type ReadEvent,
  type ReadTicksOptions,
  readTicks,
  type TicksEvent,
} from '#shared/messages/reader.ts';

/** Reads everything that one prefix publishes and keeps what tests ask about. */
export class Recorder {
  readonly envelopes: TicksEvent[] = [];
  /** What was told besides ticks. */
  readonly told: Exclude<ReadEvent, TicksEvent>[] = [];
  readonly newest = new Map<number, Snapshot>();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: ReadTicksOptions) {
    this.#running = this.#read(options);
  }

  /** Live and replayed envelopes of a channel in the order of delivery. */
  of(channel: string): TicksEvent[] {
    return this.envelopes.filter((envelope) => envelope.channel === channel && envelope.source !== 'last');
  }

  get ticks(): number {
    return this.envelopes.reduce((sum, envelope) => sum + envelope.ticks.length, 0);
  }

  /** Envelopes lost for good. */
  get missed(): number {
    return TICK_CHANNELS.reduce((sum, channel) => sum + this.missedOf(channel), 0);
  }

  missedOf(channel: string): number {
    const gaps = this.told.flatMap((each) =>
      each.type === 'gap' && each.channel === channel && !each.repaired ? [each] : [],
    );
    return gaps.reduce((sum, { from, to }) => sum + (to === null ? 1 : to - from + 1), 0);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #read(options: ReadTicksOptions): Promise<void> {
    for await (const event of readTicks({ from: 'live', ...options, signal: this.#ending.signal })) {
      if (event.type !== 'ticks') {
        this.told.push(event);
        continue;
      }
      this.envelopes.push(event);
      for (const tick of event.ticks) this.newest.set(tick.instrument_token, tick);
    }
  }
}

/** Numbers of a channel that were neither read nor counted as missed. */
export function unaccounted(recorder: Recorder, channel: string): number {
  const read = recorder.of(channel).map((envelope) => envelope.seq);
  if (read.length === 0) return 0;
  const span = read.at(-1)! - read[0]! + 1;
  return span - read.length - recorder.missedOf(channel);
}
