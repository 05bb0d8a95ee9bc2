import type { Snapshot } from '#shared/market/snapshot.ts';
import { type ReadEnvelope, type ReadTicksOptions, readTicks } from '#shared/messages/reader.ts';

/** Reads everything that one prefix publishes and keeps what tests ask about. */
export class Recorder {
  readonly envelopes: ReadEnvelope[] = [];
  readonly newest = new Map<number, Snapshot>();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: ReadTicksOptions) {
    this.#running = this.#read(options);
  }

  /** Live and replayed envelopes of a channel in the order of delivery. */
  of(channel: string): ReadEnvelope[] {
    return this.envelopes.filter((envelope) => envelope.channel === channel && envelope.source !== 'last');
  }

  get ticks(): number {
    return this.envelopes.reduce((sum, envelope) => sum + envelope.ticks.length, 0);
  }

  /** Envelopes lost for good. */
  get missed(): number {
    const channels = new Set(this.envelopes.map((envelope) => envelope.channel));
    return [...channels].reduce((sum, channel) => sum + this.missedOf(channel), 0);
  }

  missedOf(channel: string): number {
    return this.envelopes
      .filter((envelope) => envelope.channel === channel && envelope.source === 'last')
      .reduce((sum, envelope) => sum + envelope.missed, 0);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #read(options: ReadTicksOptions): Promise<void> {
    for await (const envelope of readTicks({ ...options, signal: this.#ending.signal })) {
      this.envelopes.push(envelope);
      for (const tick of envelope.ticks) this.newest.set(tick.instrument_token, tick);
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
