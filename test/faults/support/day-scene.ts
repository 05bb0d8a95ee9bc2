import { Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import type { Snapshot } from '#shared/market/snapshot.ts';
import { redisNames } from '#shared/messages/channels.ts';
import type { Dump } from '#streamer/day/registry.ts';
import { type OwnProcess, until } from '#test/support/processes.ts';
import { simulatorInstruments } from '#test/support/streamer-rig.ts';
import { type Difference, difference } from './compare.ts';
import { Scene } from './scene.ts';
import { postJson } from './sent.ts';
import { timeOf } from './tick-key.ts';

const SETTLE_MS = 20_000;
const GRACE_MS = 15_000;

/** An expiry day of the built-in universe, and the day after: tokens of the expired week go to a new one. */
export const EXPIRY_DAY = '2026-08-18';
export const NEXT_DAY = '2026-08-19';

/** Near the money: options of the expiry day, of later weeks, futures and the index. */
export async function twoWeeks(simulatorUrl: string, each: number): Promise<Instrument[]> {
  const all = await simulatorInstruments(simulatorUrl);
  const nifty = all.filter(({ name, segment }) => name === 'NIFTY' && segment.startsWith('NFO'));
  const options = nifty
    .filter(({ instrument_type }) => instrument_type !== 'FUT')
    .toSorted((a, b) => Math.abs(a.strike - 25_000) - Math.abs(b.strike - 25_000));
  return [
    ...all.filter(({ segment, tradingsymbol }) => segment === 'INDICES' && tradingsymbol === 'NIFTY 50'),
    ...nifty.filter(({ instrument_type }) => instrument_type === 'FUT'),
    ...options.filter(({ expiry }) => expiry === EXPIRY_DAY).slice(0, each),
    ...options.filter(({ expiry }) => expiry > EXPIRY_DAY).slice(0, each),
  ];
}

/** A dump as it lies in the store: packed, with a version of its own. */
export function packedDump(day: string, rows: readonly Instrument[]): Dump {
  return nextVersion(day, rows.length, gzipSync(formatInstrumentsCsv(rows)));
}

export function nextVersion(day: string, count: number, packed: Buffer): Dump {
  const prefix = `${day}/${Math.random()}`;
  const refreshed_at = `${day}T03:05:00.000Z`;
  return {
    pointer: { day, version: prefix, prefix, count, refreshed_at },
    open: async () => Readable.from([packed]).pipe(createGunzip()),
  };
}

/** A scene over the turn of a day: the exchange's clock and the dump in force move by call. */
export class DayScene {
  readonly scene: Scene;
  readonly #simulatorUrl: string;
  readonly #redisUrl: string;
  readonly #prefix: string;
  readonly #dumps: { current: Dump | undefined };

  static async start(
    simulator: OwnProcess,
    redis: OwnProcess,
    prefix: string,
    instruments: readonly Instrument[],
  ) {
    const dumps: { current: Dump | undefined } = { current: undefined };
    const scene = await Scene.start({
      simulatorUrl: simulator.url,
      prefix,
      instruments,
      streamerRedisUrl: redis.url,
      readerRedisUrl: redis.url,
      env: { DAY_LOOK_MS: '100', REGISTRY_LOOK_MS: '100', EXPIRY_GRACE_MS: String(GRACE_MS) },
      readRegistry: async () => dumps.current,
    });
    return new DayScene(scene, simulator.url, redis.url, prefix, dumps);
  }

  private constructor(
    scene: Scene,
    simulatorUrl: string,
    redisUrl: string,
    prefix: string,
    dumps: { current: Dump | undefined },
  ) {
    this.scene = scene;
    this.#simulatorUrl = simulatorUrl;
    this.#redisUrl = redisUrl;
    this.#prefix = prefix;
    this.#dumps = dumps;
  }

  get redisUrl(): string {
    return this.#redisUrl;
  }

  get health() {
    return this.scene.rig.streamer.report();
  }

  get held() {
    const [account] = this.health.accounts;
    if (account === undefined) throw new Error('the streamer holds no account');
    return account.not_current;
  }

  get rejected(): Readonly<Record<string, number>> {
    return { ...this.scene.account.pipeline.counts.rejected };
  }

  /** Sets the exchange's clock; the streamer follows within moments. */
  async moveClock(day: string, time: string): Promise<void> {
    await postJson(`${this.#simulatorUrl}/_sim/clock`, { now: istMs(day, time) });
  }

  putInForce(day: string, rows: readonly Instrument[]): Promise<void> {
    return this.load(packedDump(day, rows));
  }

  /** What the control plane does when it has fetched a new dump; returns when the streamer has it. */
  async load(dump: Dump): Promise<void> {
    this.#dumps.current = dump;
    const { version } = dump.pointer;
    await this.until(() => this.health.registry?.version === version, 'the streamer to have the dump');
  }

  dumpOfNow(): Promise<Instrument[]> {
    return simulatorInstruments(this.#simulatorUrl);
  }

  /** Last values by token, as any reader finds them. */
  async lastValues(): Promise<Map<number, Snapshot>> {
    const fields = await this.scene.rig.redis.hgetall(redisNames(this.#prefix).last);
    return new Map(
      Object.entries(fields).map(([token, text]) => [
        Number(token),
        (JSON.parse(text) as { tick: Snapshot }).tick,
      ]),
    );
  }

  /** Everything sent from a second on until now, against what was read of it once it must have come. */
  async compared(fromS: number): Promise<Difference> {
    const { tap, reader } = this.scene;
    const toS = Math.max(0, ...[...tap.sent.values()].map((keys) => timeOf(keys.at(-1) ?? 0)));
    // A round is sent over most of its second: once one two seconds later has come through, this one is whole.
    await this.until(
      () => reader.ticks().some((tick) => (tick.exchange_ts ?? 0) > (toS + 1) * 1_000),
      'later ticks to come through',
    );
    return difference(tap.sent, reader.ticks(), { fromS, toS });
  }

  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    return until(condition, SETTLE_MS, what);
  }

  /** Every one of these has ticked with an exchange time from then on. */
  ticked(tokens: readonly number[], sinceMs: number): Promise<void> {
    return this.until(() => {
      const seen = new Set(
        this.scene.reader
          .ticks()
          .filter((tick) => (tick.exchange_ts ?? 0) >= sinceMs)
          .map((tick) => tick.instrument_token),
      );
      return tokens.every((token) => seen.has(token));
    }, 'every instrument to tick');
  }
}
