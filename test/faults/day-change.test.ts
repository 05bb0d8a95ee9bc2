import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { istMs } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
} from '#test/support/processes.ts';
import { difference } from './support/compare.ts';
import { DayScene, EXPIRY_DAY, NEXT_DAY, twoWeeks } from './support/day-scene.ts';
import { NOTHING } from './support/scene.ts';

const EACH = 30;
const CLOSE_MS = istMs(EXPIRY_DAY, '15:40');
const OPEN_MS = istMs(NEXT_DAY, '09:15');

const tokensOf = (rows: readonly Instrument[]) => rows.map(({ instrument_token }) => instrument_token);

describe.skipIf(redisServer() === undefined)(
  `over the turn of a day${redisServer() === undefined ? `: ${NO_REDIS}` : ''}`,
  () => {
    let simulator: OwnProcess;
    let redis: OwnProcess;
    let today: DayScene;
    let ending: Instrument[];
    let going: Instrument[];

    async function begin(): Promise<void> {
      [simulator, redis] = await Promise.all([
        startSimulatorProcess(['--now', `${EXPIRY_DAY}T15:20:00+05:30`]),
        startRedisProcess(),
      ]);
      const instruments = await twoWeeks(simulator.url, EACH);
      ending = instruments.filter(({ expiry }) => expiry === EXPIRY_DAY);
      going = instruments.filter(({ expiry }) => expiry !== EXPIRY_DAY);
      today = await DayScene.start(simulator, redis, 'faults:day-change', instruments);
      await today.putInForce(EXPIRY_DAY, await today.dumpOfNow());
    }

    async function end(): Promise<void> {
      await today?.scene.stop();
      await Promise.all([simulator?.stop(), redis?.stop('SIGKILL')]);
    }

    /** Every name that was read under these tokens, from an envelope on. */
    function namesRead(
      tokens: readonly number[],
      fromEnvelope: number,
      toEnvelope = Number.POSITIVE_INFINITY,
    ) {
      const wanted = new Set(tokens);
      return new Set(
        today.scene.reader.envelopes
          .slice(fromEnvelope, toEnvelope)
          .flatMap(({ envelope }) => envelope.ticks)
          .filter((tick) => wanted.has(tick.instrument_token))
          .map((tick) => tick.tradingsymbol),
      );
    }

    const symbols = (rows: readonly Instrument[]) => new Set(rows.map(({ tradingsymbol }) => tradingsymbol));

    async function passTheGrace(): Promise<void> {
      await today.moveClock(EXPIRY_DAY, '15:40:14');
      await today.until(() => today.held.expired === ending.length, 'the expired contracts to end');
    }

    /** The sweep ends the old subscriptions; owners claim what the tokens name now. */
    function renew(dump: readonly Instrument[]): Instrument[] {
      const tokens = new Set(tokensOf(ending));
      const recycled = dump.filter(({ instrument_token }) => tokens.has(instrument_token));
      today.scene.rig.subscriptions.remove(tokensOf(ending));
      today.scene.rig.subscriptions.set(recycled, 'full');
      return recycled;
    }

    describe('that comes as days do', () => {
      beforeAll(begin);
      afterAll(end);

      it('a living contract whose token the dump gives away stops, is told of, and comes back with the next dump', async () => {
        const { scene } = today;
        const dump = await today.dumpOfNow();
        const [victim, ...others] = going.filter(({ instrument_type }) => instrument_type === 'CE');
        const { instrument_token } = victim!;
        const given = dump.map((row) =>
          row.instrument_token === instrument_token ? { ...row, tradingsymbol: 'SOMETHING ELSE' } : row,
        );
        await today.putInForce(EXPIRY_DAY, given);
        await today.until(() => today.held.recycled === 1, 'the instrument to stop');
        expect(today.health.status).toBe('degraded');
        expect(scene.account.current().has(instrument_token)).toBe(false);
        await today.until(
          async () => !(await today.lastValues()).has(instrument_token),
          'its last value to go',
        );
        const metrics = await scene.rig.streamer.metrics.registry.metrics();
        expect(metrics).toContain('instruments_not_current{account_id="primary",reason="recycled"} 1');
        expect(scene.rig.logLines.some((line) => line.includes(victim!.tradingsymbol))).toBe(true);
        const { difference: found } = await scene.during(() => today.putInForce(EXPIRY_DAY, dump));
        expect(today.held.recycled).toBe(0);
        const undisturbed = new Set(tokensOf(others));
        expect(found.missing.filter(({ token }) => undisturbed.has(token))).toEqual([]);
        await today.ticked([instrument_token], istMs(EXPIRY_DAY, '15:20'));
      });

      it('contracts end with their last tick, by themselves, and take nothing along', async () => {
        const { scene } = today;
        await today.moveClock(EXPIRY_DAY, '15:39:53');
        await today.ticked(tokensOf(going.slice(0, 1)), istMs(EXPIRY_DAY, '15:39:53'));
        const fromS = Math.ceil(scene.reader.ticks().at(-1)!.exchange_ts! / 1_000) + 1;
        // The last round of the session, and what is on its way then.
        await sleep(istMs(EXPIRY_DAY, '15:40:03') - fromS * 1_000);
        await passTheGrace();
        const span = { fromS, toS: CLOSE_MS / 1_000 };
        const differing = () => difference(scene.tap.sent, scene.reader.ticks(), span);
        await today.until(() => differing().missing.length === 0, 'the last ticks to be read');
        const found = differing();
        expect(found.sent).toBeGreaterThan(ending.length);
        expect(found).toMatchObject(NOTHING);
        expect(scene.account.subscriptions).toBe(going.length);
        await today.until(async () => {
          const values = await today.lastValues();
          return ending.every(({ instrument_token }) => !values.has(instrument_token));
        }, 'their last values to go');
        expect(tokensOf(going).every((token) => scene.account.current().has(token))).toBe(true);
        expect(today.health.status).toBe('ok');
        expect(today.health.market).toMatchObject({ day: EXPIRY_DAY, state: 'closed' });
        const metrics = await scene.rig.streamer.metrics.registry.metrics();
        expect(metrics).toContain(
          `streams_ended_total{account_id="primary",reason="expired"} ${ending.length}`,
        );
        expect(metrics).toContain('market_state{segment="derivatives",state="closed"} 1');
        // A comparison with the rows, which still want them, brings none of them back.
        await scene.rig.streamer.compareAll();
        expect(scene.account.subscriptions).toBe(going.length);
      });

      it('a token that is given to another contract never carries the old name, nor the new one too early', async () => {
        const { scene } = today;
        // Quotes have no exchange time: only the turn of the session lets their volume begin anew.
        const quoted = going.slice(-5);
        const modeOf = (token: number) => scene.account.current().get(token)?.mode;
        scene.rig.subscriptions.set(quoted, 'quote');
        await today.until(
          () => quoted.every(({ instrument_token }) => modeOf(instrument_token) === 'quote'),
          'quotes',
        );
        const night = scene.reader.envelopes.length;
        expect(namesRead(tokensOf(ending), 0, night)).toEqual(symbols(ending));
        await today.moveClock(NEXT_DAY, '08:35');
        await today.until(() => today.health.market.day === NEXT_DAY, 'the day to turn');
        await today.until(async () => (await today.lastValues()).size === 0, 'the hash to be cleared');
        const dump = await today.dumpOfNow();
        await today.putInForce(NEXT_DAY, dump);
        expect(today.held.expired).toBe(ending.length);
        const recycled = renew(dump);
        expect(recycled.length).toBeGreaterThan(EACH / 2);
        await today.until(
          () => recycled.every(({ instrument_token }) => scene.account.current().has(instrument_token)),
          'the new contracts to stream',
        );
        await today.moveClock(NEXT_DAY, '09:14:30');
        await today.until(() => today.health.market.state === 'pre_open', 'the clock to be followed');
        const rejected = today.rejected;
        await today.moveClock(NEXT_DAY, '09:14:58');
        const current = [...going.filter((row) => !quoted.includes(row)), ...recycled];
        await today.ticked(tokensOf(current), OPEN_MS);
        const found = await today.compared(OPEN_MS / 1_000);
        expect(namesRead(tokensOf(ending), night)).toEqual(symbols(recycled));
        const exact = new Set(tokensOf(current));
        const strange = found.missing.filter(({ token }) => exact.has(token));
        expect(strange).toEqual([]);
        expect(found).toMatchObject({ doubled: 0, invented: 0, disordered: 0 });
        expect(today.rejected).toEqual(rejected);
        const names = new Map(dump.map((row) => [row.instrument_token, row.tradingsymbol]));
        const streaming = [...scene.account.current().keys()].toSorted();
        await today.until(
          async () => (await today.lastValues()).size >= streaming.length,
          'the hash to be whole',
        );
        const values = await today.lastValues();
        expect([...values.keys()].toSorted()).toEqual(streaming);
        for (const [token, tick] of values) expect(tick.tradingsymbol).toBe(names.get(token));
      });
    });

    describe('that the clock jumps over', () => {
      beforeAll(begin);
      afterAll(end);

      it('nothing of tomorrow is told under a name of today when the clock jumps over the night', async () => {
        const { scene } = today;
        await today.ticked(tokensOf([...ending, ...going]), 0);
        await today.moveClock(NEXT_DAY, '09:20');
        await today.until(() => today.held.expired === ending.length, 'the expired contracts to end');
        await today.ticked(tokensOf(going), istMs(NEXT_DAY, '09:20'));
        const old = scene.reader.ticks().filter(({ tradingsymbol }) => symbols(ending).has(tradingsymbol));
        expect(old.length).toBeGreaterThan(0);
        expect(old.filter((tick) => (tick.exchange_ts ?? 0) > CLOSE_MS)).toEqual([]);
        const sent = new Map(
          ending.map((row) => [row.instrument_token, scene.tap.sent.get(row.instrument_token)!]),
        );
        const span = { fromS: 0, toS: CLOSE_MS / 1_000 };
        expect(difference(sent, old, span)).toMatchObject({ invented: 0 });
      });
    });
  },
);
