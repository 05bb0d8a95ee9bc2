import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { OptionSnapshot, Snapshot } from '#shared/market/snapshot.ts';
import { redisNames } from '#shared/messages/channels.ts';
import type { LastValue, TickEnvelope } from '#shared/messages/envelope.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
  until,
} from '#test/support/processes.ts';
import { type Rig, simulatorInstruments, startRig } from '#test/support/streamer-rig.ts';
import { NOTHING, Scene } from './support/scene.ts';
import { postJson } from './support/sent.ts';
import { StrictReader } from './support/strict-reader.ts';

const PREFIX = 'faults:after-hours';
const WAIT_MS = 30_000;
/** A Friday before a holiday on Monday; on Tuesday a weekly contract expires. */
const FRIDAY = '2026-09-11';
const HOLIDAY = '2026-09-14';
const TUESDAY = '2026-09-15';
const NEXT_SATURDAY = '2026-09-19';
const BAND = 0.005;
const TICK_MS = 100;
const ROUNDS = process.env.FULL === '1' ? 100 : 8;

const env = {
  AFTER_HOURS: 'simulate',
  AFTER_HOURS_TICK_MS: String(TICK_MS),
  AFTER_HOURS_BAND_FRACTION: String(BAND),
  AFTER_HOURS_QUIET_MS: '1000',
  AFTER_HOURS_SESSION_QUIET_MS: '5000',
  AFTER_HOURS_LEAD_MS: '4000',
  AFTER_HOURS_RETURN_MS: '40000',
  // The streamer's clock is up to 2 s late after each jump of the exchange's.
  MAX_TIME_AHEAD_MS: '1000000000',
  STALL_AFTER_MS: '2000',
  // A busy machine may stand still for longer than the rig's lease.
  LEASE_TTL_MS: '30000',
};

/** One of each kind on each channel, at the money, and not expiring while the test lasts. */
async function someInstruments(simulatorUrl: string): Promise<Instrument[]> {
  const all = await simulatorInstruments(simulatorUrl);
  const indices = all.filter((each) => ['NIFTY 50', 'INDIA VIX'].includes(each.tradingsymbol));
  const nifty = all.filter((each) => each.name === 'NIFTY' && each.expiry > NEXT_SATURDAY);
  const futures = nifty.filter((each) => each.instrument_type === 'FUT').slice(0, 2);
  const options = nifty.filter((each) => each.strike > 0);
  const middle =
    (Math.min(...options.map((each) => each.strike)) + Math.max(...options.map((each) => each.strike))) / 2;
  options.sort((a, b) => Math.abs(a.strike - middle) - Math.abs(b.strike - middle));
  const shares = all.filter((each) => ['INFY', 'RELIANCE', 'TCS'].includes(each.tradingsymbol));
  return [...indices, ...futures, ...options.slice(0, 16), ...shares];
}

/** What was published up to now is passed over. */
class Since {
  readonly #reader: StrictReader;
  readonly #from: number;

  constructor(reader: StrictReader) {
    this.#reader = reader;
    this.#from = reader.envelopes.length;
  }

  get ticks(): Snapshot[] {
    return this.#reader.envelopes.slice(this.#from).flatMap(({ envelope }) => envelope.ticks);
  }
}

const byToken = (ticks: readonly Snapshot[]) => Map.groupBy(ticks, (tick) => tick.instrument_token);

/** Synthetic ticks behind the first real one that the exchange made after a moment. */
function mocksAfterReal(ticks: readonly Snapshot[], sinceMs: number): Snapshot[] {
  const first = ticks.findIndex((tick) => !tick.is_mock && (tick.exchange_ts ?? 0) > sinceMs);
  expect(first).toBeGreaterThanOrEqual(0);
  return ticks.slice(first).filter((tick) => tick.is_mock);
}

describe.skipIf(redisServer() === undefined)(
  `the switch to after hours and back${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let redis: OwnProcess;
    let client: Redis;
    let scene: Scene;
    let off: { readonly rig: Rig; readonly reader: StrictReader };
    let tokens: number[];

    beforeAll(async () => {
      const now = `${FRIDAY}T15:20:00+05:30`;
      [simulator, redis] = await Promise.all([startSimulatorProcess(['--now', now]), startRedisProcess()]);
      client = new Redis(redis.url);
      const instruments = await someInstruments(simulator.url);
      tokens = instruments.map((each) => each.instrument_token);
      const common = { simulatorUrl: simulator.url, instruments };
      const urls = { streamerRedisUrl: redis.url, readerRedisUrl: redis.url };
      const { AFTER_HOURS, ...others } = env;
      const reader = new StrictReader(redis.url, `${PREFIX}-off`);
      const [started, rig] = await Promise.all([
        Scene.start({ ...common, ...urls, prefix: PREFIX, env }),
        startRig({ ...common, redisUrl: redis.url, prefix: `${PREFIX}-off`, env: others }),
      ]);
      scene = started;
      off = { rig, reader };
    });
    afterAll(async () => {
      client.disconnect();
      off.reader.stop();
      await Promise.all([scene.stop(), off.rig.stop()]);
      await Promise.all([simulator.stop(), redis.stop('SIGKILL')]);
    });

    /** Forwards only: what it sent already it would send again. */
    async function exchange(day: string, time: string, market = 'auto'): Promise<void> {
      await postJson(`${simulator.url}/_sim/clock`, { now: istMs(day, time), market });
      await until(() => scene.rig.streamer.report().market.day === day, WAIT_MS, "the streamer's clock");
    }

    const source = () => scene.rig.streamer.report().source;
    const realTicks = () => scene.reader.ticks().filter((tick) => !tick.is_mock);

    /** Every instrument has ticked synthetically so often since the call. */
    async function mockRounds(rounds: number): Promise<Snapshot[]> {
      const since = new Since(scene.reader);
      const isDone = () => {
        const mocks = byToken(since.ticks.filter((tick) => tick.is_mock));
        return tokens.every((token) => (mocks.get(token)?.length ?? 0) >= rounds);
      };
      await until(isDone, WAIT_MS, `${rounds} synthetic rounds`);
      return since.ticks;
    }

    async function realRounds(rounds: number): Promise<void> {
      const before = realTicks().length;
      const isDone = () => realTicks().length > before + rounds * tokens.length;
      await until(isDone, WAIT_MS, `${rounds} real rounds`);
    }

    async function lastValues(): Promise<Snapshot[]> {
      const values = await client.hgetall(redisNames(PREFIX).last);
      return Object.values(values).map((value) => (JSON.parse(value) as LastValue).tick);
    }

    /** Every instrument's newest real tick up to now. */
    function lastReal(): Map<number, Snapshot> {
      return new Map(realTicks().map((tick) => [tick.instrument_token, tick]));
    }

    it('goes on from the last real prices when derivatives have closed, over a weekend and a holiday, and not one real tick is lost or doubled', async () => {
      // The second in which it subscribed is no whole one.
      await realRounds(2);
      const since = new Since(scene.reader);
      let real = new Map<number, Snapshot>();
      const { difference } = await scene.during(async () => {
        await exchange(FRIDAY, '15:39:57');
        await until(() => source() === 'simulated', WAIT_MS, 'synthetic ticks');
        real = lastReal();
        await mockRounds(ROUNDS);
        await exchange(HOLIDAY, '11:00:00');
        await mockRounds(ROUNDS);
        // Jumped into: the streamer's clock is late, and the first real tick is what ends the night.
        await exchange(TUESDAY, '09:14:58');
      }, realTicks);
      expect(difference).toMatchObject(NOTHING);
      const evening = since.ticks;
      expect(mocksAfterReal(evening, istMs(TUESDAY, '00:00'))).toEqual([]);
      const mocks = byToken(evening.filter((tick) => tick.is_mock));
      for (const token of tokens) {
        const last = real.get(token)!;
        const [first, ...more] = mocks.get(token)!;
        expect({ ...first, received_ts: 0, exchange_ts: 0 }).toMatchObject({
          ...pricesOf(last),
          is_mock: true,
        });
        for (const tick of more) expectNear(tick, last);
      }
      expect(realTicks().every((tick) => tick.exchange_ts !== null)).toBe(true);
    });

    function pricesOf(tick: Snapshot): Partial<OptionSnapshot> {
      const { ltp, ohlc } = tick;
      if (tick.type === 'underlying') return { ltp, ohlc: ohlc! };
      const { bid, ask, volume, oi, depth } = tick;
      return { ltp, ohlc: ohlc!, bid: bid!, ask: ask!, volume: volume!, oi: oi!, depth: depth! };
    }

    function expectNear(tick: Snapshot, last: Snapshot): void {
      expect(tick.exchange_ts).toBeNull();
      if (tick.type !== 'option') expect(Math.abs(tick.ltp / last.ltp - 1)).toBeLessThan(BAND + 0.001);
      if (tick.type === 'underlying' || last.type === 'underlying') return;
      expect(tick).toMatchObject({ volume: last.volume, oi: last.oi, ohlc: last.ohlc });
      expect(tick.bid!).toBeLessThan(tick.ask!);
      expect(Math.round(tick.ltp * 100) % 5).toBe(0);
      if (tick.type !== 'option' || last.type !== 'option' || last.iv_status !== 'ok') return;
      expect(tick.iv_status).toBe('ok');
      // Ticks of 0.05 hide so much volatility, and a moving spot as much again.
      expect(Math.abs(tick.iv! - last.iv!)).toBeLessThan(0.0005 + 0.001 / last.vega!);
    }

    it('flags what it makes wherever readers find it, and gives the hash its real values back before the session', async () => {
      await exchange(TUESDAY, '15:39:59');
      await until(() => source() === 'simulated', WAIT_MS, 'synthetic ticks');
      const night = await mockRounds(ROUNDS);
      const real = lastReal();
      await until(
        async () => (await lastValues()).every((tick) => tick.is_mock),
        WAIT_MS,
        'synthetic values in the hash',
      );
      expect(await lastValues()).toHaveLength(tokens.length);
      await expectLogAsRead();
      const published = scene.account.batchers.options.mockTotal;
      expect(published).toBeGreaterThanOrEqual(ROUNDS * 16);
      expect(await scene.rig.streamer.metrics.registry.metrics()).toMatch(
        /ticks_mock_total\{account_id="primary",channel="options"\} [1-9]/,
      );

      // The way back takes the last 40 s of the night, of which this leaves 4.
      await exchange('2026-09-16', '08:59:52');
      const since = new Since(scene.reader);
      await until(() => source() === 'real', WAIT_MS, 'the end of the night');
      await sleep(300);
      const end = byToken(since.ticks);
      for (const token of tokens) {
        const last = end.get(token)!.at(-1)!;
        expect(last).toMatchObject({ ltp: real.get(token)!.ltp, is_mock: true });
      }
      const withValues = (ticks: readonly Snapshot[]) =>
        ticks.length === tokens.length && ticks.every((tick) => !tick.is_mock);
      await until(async () => withValues(await lastValues()), WAIT_MS, 'real values in the hash');
      for (const tick of await lastValues()) expect(tick).toEqual(real.get(tick.instrument_token));
      const quiet = new Since(scene.reader);
      await sleep(1_000);
      expect(quiet.ticks).toEqual([]);
      expect(night.some((tick) => tick.is_mock)).toBe(true);
    });

    async function expectLogAsRead(): Promise<void> {
      const entries = await client.xrange(redisNames(PREFIX).log('options', 'primary'), '-', '+');
      const log = entries.map(([, [, text]]) => JSON.parse(text!) as TickEnvelope);
      const read = new Map(
        scene.reader.envelopes
          .filter(({ channel }) => channel === redisNames(PREFIX).ticks('options'))
          .map(({ envelope }) => [envelope.seq, envelope]),
      );
      const both = log.filter(({ seq }) => read.has(seq));
      expect(both.flatMap(({ ticks }) => ticks).filter((tick) => tick.is_mock).length).toBeGreaterThan(100);
      for (const envelope of both) expect(envelope).toEqual(read.get(envelope.seq));
    }

    it('goes through a weekend and a session that no calendar knows', async () => {
      await exchange('2026-09-16', '09:15:05');
      await until(() => new Set(realTicks().map(dayOf)).has('2026-09-16'), WAIT_MS, 'a session');
      await exchange(FRIDAY_AFTER, '15:39:58');
      await until(() => source() === 'simulated', WAIT_MS, 'synthetic ticks');
      await exchange(NEXT_SATURDAY, '11:00:00');
      await mockRounds(3);
      const since = new Since(scene.reader);
      const { difference } = await scene.during(async () => {
        await postJson(`${simulator.url}/_sim/clock`, { market: 'open' });
        await realRounds(3);
      }, realTicks);
      expect(difference).toMatchObject(NOTHING);
      expect(source()).toBe('real');
      expect(mocksAfterReal(since.ticks, istMs(NEXT_SATURDAY, '10:59:00'))).toEqual([]);
      await exchange(NEXT_SATURDAY, '11:30:00', 'auto');
      await until(() => source() === 'simulated', WAIT_MS, 'synthetic ticks again');
      await mockRounds(3);
    });

    it('lost no connection, found none stalled and left no hole over all of it', () => {
      expect([...scene.account.feed.downs]).toEqual([]);
      expect(scene.rig.logLines.filter((line) => line.includes('replaced'))).toEqual([]);
      expect(scene.reader.holes).toEqual([]);
      expect(scene.reader.folded).toBe(0);
      expect(scene.rig.streamer.report().status).toBe('ok');
    });

    it('and without AFTER_HOURS=simulate nothing synthetic is made', () => {
      expect(off.reader.ticks().length).toBeGreaterThan(tokens.length);
      expect(off.reader.ticks().filter((tick) => tick.is_mock)).toEqual([]);
      expect(off.rig.streamer.report()).toMatchObject({ source: 'real' });
      expect(off.rig.streamer.loops.states.map(({ name }) => name)).not.toContain('after hours');
    });
  },
);

const FRIDAY_AFTER = '2026-09-18';

function dayOf(tick: Snapshot): string {
  return new Date((tick.exchange_ts ?? 0) + 19_800_000).toISOString().slice(0, 10);
}
