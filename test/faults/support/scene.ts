import { expect } from 'vitest';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Snapshot } from '#shared/market/snapshot.ts';
import { TICK_CHANNELS } from '#shared/messages/channels.ts';
import type { OrderUpdatesQueue } from '#shared/orders/updates-queue.ts';
import type { DumpReader } from '#streamer/day/registry.ts';
import { lasting } from '#test/support/lasting.ts';
import { until } from '#test/support/processes.ts';
import { type Rig, simulatorInstruments, startRig } from '#test/support/streamer-rig.ts';
import { type Difference, difference, type Span } from './compare.ts';
import { HealthWatch } from './health-watch.ts';
import { ExchangeTap } from './sent.ts';
import { StrictReader } from './strict-reader.ts';
import { timeOf } from './tick-key.ts';

/** What the streamer says of itself, summed over its channels. */
export interface Totals {
  readonly published: number;
  readonly folded: number;
  readonly rejected: number;
  readonly envelopes: number;
}

export interface During {
  readonly difference: Difference;
  readonly before: Totals;
  readonly after: Totals;
}

const SETTLE_MS = 20_000;

/** Nearest to the money first: those tick every second. */
export async function liveInstruments(simulatorUrl: string, count: number): Promise<Instrument[]> {
  const all = lasting(await simulatorInstruments(simulatorUrl));
  const options = all.filter((each) => each.name === 'NIFTY' && each.segment === 'NFO-OPT');
  const index = all.filter((each) => each.segment === 'INDICES' && each.tradingsymbol === 'NIFTY 50');
  const futures = all.filter((each) => each.name === 'NIFTY' && each.instrument_type === 'FUT');
  const middle = 25_000;
  options.sort((a, b) => Math.abs(a.strike - middle) - Math.abs(b.strike - middle));
  return [...index, ...futures, ...options].slice(0, count);
}

export interface SceneOptions {
  readonly simulatorUrl: string;
  readonly prefix: string;
  readonly instruments: readonly Instrument[];
  /** Where the streamer publishes; the reader's own way may be another. */
  readonly streamerRedisUrl: string;
  readonly readerRedisUrl: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly orderUpdates?: OrderUpdatesQueue;
  readonly readRegistry?: DumpReader;
}

/** Exchange, streamer, Redis and reader side by side; what leaves the first is compared with what the last one has. */
export class Scene {
  readonly rig: Rig;
  readonly tap: ExchangeTap;
  readonly reader: StrictReader;
  readonly #tokens: readonly number[];

  private constructor(rig: Rig, tap: ExchangeTap, reader: StrictReader, tokens: readonly number[]) {
    this.rig = rig;
    this.tap = tap;
    this.reader = reader;
    this.#tokens = tokens;
  }

  static async start(options: SceneOptions): Promise<Scene> {
    const { simulatorUrl, prefix, instruments, env = {} } = options;
    const reader = new StrictReader(options.readerRedisUrl, prefix);
    await reader.fromTheBeginning();
    const tokens = instruments.map((each) => each.instrument_token);
    const tap = await ExchangeTap.open(simulatorUrl, tokens);
    const redisUrl = options.streamerRedisUrl;
    const { orderUpdates, readRegistry } = options;
    const more = {
      ...(orderUpdates === undefined ? {} : { orderUpdates }),
      ...(readRegistry === undefined ? {} : { readRegistry }),
    };
    const rig = await startRig({ simulatorUrl, redisUrl, prefix, instruments, env, ...more });
    const scene = new Scene(rig, tap, reader, tokens);
    await scene.#flowing(() => reader.ticks());
    return scene;
  }

  async stop(): Promise<void> {
    this.reader.stop();
    await this.tap.close();
    await this.rig.stop();
  }

  get account() {
    const [account] = [...this.rig.streamer.streamers()];
    if (account === undefined) throw new Error('the streamer holds no account');
    return account;
  }

  totals(): Totals {
    const { batchers, pipeline } = this.account;
    const sum = (value: (channel: (typeof TICK_CHANNELS)[number]) => number) =>
      TICK_CHANNELS.reduce((total, channel) => total + value(channel), 0);
    return {
      published: sum((channel) => batchers[channel].publishedTotal),
      folded: sum((channel) => batchers[channel].foldedTotal),
      rejected: Object.values(pipeline.counts.rejected).reduce((total, times) => total + times, 0),
      envelopes: sum((channel) => batchers[channel].seq),
    };
  }

  /**
   * Lets something happen, waits until ticks flow as before, and compares all that was sent from before it to after it.
   * `ticks`: what the reader has; default the strict one's.
   */
  async during(
    happening: () => Promise<void>,
    ticks: () => readonly Snapshot[] = () => this.reader.ticks(),
  ): Promise<During> {
    // Of a second that has begun, what was sent already came before whatever happens now.
    const fromS = this.#newestSentS();
    const before = this.totals();
    await happening();
    await until(() => this.rig.streamer.report().status === 'ok', SETTLE_MS, 'health to be ok');
    await this.#flowing(ticks);
    const span: Span = { fromS, toS: this.#newestSentS() };
    // A round is sent over most of its second: once one two seconds later has come through, this one is whole.
    await this.#flowing(ticks, span.toS + 1);
    const found = difference(this.tap.sent, ticks(), span);
    expect(found.sent).toBeGreaterThan(this.#tokens.length);
    return { difference: found, before, after: this.totals() };
  }

  /**
   * The same with an eye on health, for an exchange that keeps the machine's time. `untold`: what is missing of seconds for
   * which health did not say that ticks did not flow.
   */
  async watched(
    happening: () => Promise<void>,
    ticks?: () => readonly Snapshot[],
  ): Promise<During & { readonly untold: Difference['missing'] }> {
    const watch = new HealthWatch(this.rig.streamer, () => Date.now());
    try {
      const found = await this.during(happening, ticks);
      const untold = found.difference.missing.filter(({ timeS }) => !watch.quiet.has(timeS));
      return { ...found, untold };
    } finally {
      watch.stop();
    }
  }

  /** A tick newer than `second`, else than the newest one sent now, has been read, and nothing waits in the streamer. */
  async #flowing(ticks: () => readonly Snapshot[], second?: number): Promise<void> {
    await until(
      () => this.tap.sent.size >= this.#tokens.length,
      SETTLE_MS,
      'the exchange to send everything',
    );
    const afterMs = (second ?? this.#newestSentS()) * 1_000;
    const hasRead = () => ticks().some((tick) => (tick.exchange_ts ?? 0) > afterMs);
    await until(hasRead, SETTLE_MS, 'ticks to flow');
    const { batchers } = this.account;
    const isDrained = () => TICK_CHANNELS.every((channel) => batchers[channel].backlog === 0);
    await until(isDrained, SETTLE_MS, 'everything that waits to be published');
  }

  #newestSentS(): number {
    return Math.max(0, ...[...this.tap.sent.values()].map((keys) => timeOf(keys.at(-1) ?? 0)));
  }
}

/** What the difference is when the reader has exactly what was sent. */
export const NOTHING = { missing: [], doubled: 0, invented: 0, disordered: 0, stale: 0 };
