import { Redis } from 'ioredis';
import type { Snapshot } from '#shared/market/snapshot.ts';
import { redisNames, TICK_CHANNELS } from '#shared/messages/channels.ts';
import type { TickEnvelope } from '#shared/messages/envelope.ts';

/** Envelopes that were published and never came, by channel. */
export interface Hole {
  readonly channel: string;
  readonly from: number;
  readonly to: number;
}

/**
 * A bare subscriber without help: no log, no last values. It keeps each envelope once, and writes down every number
 * that it did not get.
 */
export class StrictReader {
  readonly envelopes: { readonly channel: string; readonly envelope: TickEnvelope }[] = [];
  readonly holes: Hole[] = [];
  readonly #redis: Redis;
  readonly #seqs = new Map<string, number>();
  readonly #listens = Promise.withResolvers<void>();
  #hasBeginning = false;

  constructor(redisUrl: string, prefix: string) {
    const channels = TICK_CHANNELS.map((channel) => redisNames(prefix).ticks(channel));
    this.#redis = new Redis(redisUrl, { maxRetriesPerRequest: null, autoResubscribe: false });
    this.#redis.on('error', () => {});
    // Once a connection is lost the subscription may fail too; then the next one subscribes.
    this.#redis.on('ready', () => {
      this.#redis.subscribe(...channels).then(
        () => this.#listens.resolve(),
        () => {},
      );
    });
    this.#redis.on('message', (channel: string, text: string) => this.#take(channel, JSON.parse(text)));
  }

  /** To be waited for before anything is published: then a number above 1 at first is a hole too. */
  async fromTheBeginning(): Promise<void> {
    await this.#listens.promise;
    this.#hasBeginning = true;
  }

  stop(): void {
    this.#redis.disconnect();
  }

  ticks(): Snapshot[] {
    return this.envelopes.flatMap(({ envelope }) => envelope.ticks);
  }

  get folded(): number {
    return this.envelopes.reduce((sum, { envelope }) => sum + envelope.folded, 0);
  }

  #take(channel: string, envelope: TickEnvelope): void {
    const before = this.#seqs.get(channel) ?? (this.#hasBeginning ? 0 : undefined);
    if (before !== undefined && envelope.seq <= before) return;
    if (before !== undefined && envelope.seq !== before + 1) {
      this.holes.push({ channel, from: before + 1, to: envelope.seq - 1 });
    }
    this.#seqs.set(channel, envelope.seq);
    this.envelopes.push({ channel, envelope });
  }
}
