import type { TickChannel } from './channels.ts';
import type { TickEnvelope } from './envelope.ts';
import { foldEnvelopes } from './fold.ts';
import { type Gap, Sequence } from './sequence.ts';

/** An envelope with the channel it came over and how it was had. */
export interface ReadEnvelope extends TickEnvelope {
  readonly channel: TickChannel;
  /** `last`: from the hash of last values, with account_id '', lease 0 and seq 0; `log`: missed and read again. */
  readonly source: 'live' | 'log' | 'last';
  /** Envelopes before this one that are lost for good: what changed in them is only known by last values. */
  readonly missed: number;
}

/** What waits for the consumer: an envelope, and the gap before it if there is one. */
export interface Item {
  readonly envelope: ReadEnvelope;
  readonly gap: Gap | undefined;
}

/** Takes envelopes as they arrive, in bounded memory: when the consumer is slow they are folded by instrument. */
export class Inbox {
  readonly #maxTicks: number;
  readonly #sequence = new Sequence();
  #items: Item[] = [];
  #ticks = 0;

  constructor(maxTicks: number) {
    this.#maxTicks = maxTicks;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Positions of the first waiting envelope of each account and channel. */
  firstPositions(): Map<string, { lease: number; seq: number }> {
    const first = new Map<string, { lease: number; seq: number }>();
    for (const { envelope } of this.#items) {
      const key = `${envelope.channel}:${envelope.account_id}`;
      if (!first.has(key)) first.set(key, { lease: envelope.lease, seq: envelope.seq });
    }
    return first;
  }

  put(channel: TickChannel, envelope: TickEnvelope): void {
    const verdict = this.#sequence.judge(channel, envelope);
    if (verdict.kind === 'drop') return;
    const gap = verdict.kind === 'after_gap' ? verdict.gap : undefined;
    this.#items.push({ envelope: { ...envelope, channel, source: 'live', missed: 0 }, gap });
    this.#ticks += envelope.ticks.length;
    if (this.#ticks > this.#maxTicks) this.#fold();
  }

  take(): Item | undefined {
    const item = this.#items.shift();
    if (item !== undefined) this.#ticks -= item.envelope.ticks.length;
    return item;
  }

  /** Runs between gaps are folded by themselves: a gap stays right before what followed it. */
  #fold(): void {
    const folded: Item[] = [];
    let run: ReadEnvelope[] = [];
    const closeRun = () => {
      const envelopes = foldEnvelopes(run, (each) => `${each.channel}:${each.account_id}`);
      for (const envelope of envelopes) folded.push({ envelope, gap: undefined });
      run = [];
    };
    for (const item of this.#items) {
      if (item.gap === undefined) {
        run.push(item.envelope);
        continue;
      }
      closeRun();
      folded.push(item);
    }
    closeRun();
    this.#items = folded;
    this.#ticks = folded.reduce((sum, item) => sum + item.envelope.ticks.length, 0);
  }
}
