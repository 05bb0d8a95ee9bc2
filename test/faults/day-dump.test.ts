import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { DumpScanner } from '#streamer/day/dump-scanner.ts';
import { TokenIndex } from '#streamer/day/token-index.ts';
import {
  NO_REDIS,
  type OwnProcess,
  redisServer,
  startRedisProcess,
  startSimulatorProcess,
} from '#test/support/processes.ts';
import { BIG_DUMP_ROWS, bigDump } from './support/big-dump.ts';
import { DayScene, EXPIRY_DAY, nextVersion, twoWeeks } from './support/day-scene.ts';
import { NOTHING } from './support/scene.ts';

const missing = redisServer() === undefined ? `: ${NO_REDIS}` : '';
const EACH = 30;
const LOADS = process.env.FULL === '1' ? 20 : 3;
/** A busy machine may take the processor away during some of them, but hardly during all. */
const MOST_LOADS = 20;

describe.skipIf(redisServer() === undefined)(`a whole dump that comes into force${missing}`, () => {
  let simulator: OwnProcess;
  let redis: OwnProcess;
  let today: DayScene;

  beforeAll(async () => {
    [simulator, redis] = await Promise.all([
      startSimulatorProcess(['--now', `${EXPIRY_DAY}T11:00:00+05:30`]),
      startRedisProcess(),
    ]);
    const instruments = await twoWeeks(simulator.url, EACH);
    today = await DayScene.start(simulator, redis, 'faults:day-dump', instruments);
  });
  afterAll(async () => {
    await today?.scene.stop();
    await Promise.all([simulator?.stop(), redis?.stop('SIGKILL')]);
  });

  /** Since the last call, as the streamer's metric tells it. */
  async function longestStopMs(): Promise<number> {
    const { registry } = today.scene.rig.streamer.metrics;
    const text = await registry.getSingleMetricAsString('event_loop_lag_max_seconds');
    return Number(/^event_loop_lag_max_seconds (\S+)$/m.exec(text)![1]) * 1_000;
  }

  /** What the same work takes in one piece. */
  function atOnceMs(csv: Buffer): number {
    const timesMs = Array.from({ length: 5 }, () => {
      const index = new TokenIndex(BIG_DUMP_ROWS);
      const scanner = new DumpScanner((token, symbol) => index.add(token, symbol));
      const startedMs = performance.now();
      scanner.push(csv);
      scanner.end();
      expect(scanner.rows).toBe(BIG_DUMP_ROWS);
      return performance.now() - startedMs;
    });
    return timesMs.toSorted((a, b) => a - b)[2]!;
  }

  it(`its ${BIG_DUMP_ROWS} rows are read beside the ticks: nothing is missing, and the path never stops for them`, async () => {
    const csv = Buffer.from(formatInstrumentsCsv(bigDump(await today.dumpOfNow())));
    const packed = gzipSync(csv);
    const boundMs = atOnceMs(csv) / 3;
    const stopsMs: number[] = [];
    const { difference } = await today.scene.during(async () => {
      const isLong = () => stopsMs.every((stopMs) => stopMs >= boundMs);
      while (stopsMs.length < LOADS || (isLong() && stopsMs.length < MOST_LOADS)) {
        await longestStopMs();
        await today.load(nextVersion(EXPIRY_DAY, BIG_DUMP_ROWS, packed));
        stopsMs.push(await longestStopMs());
      }
    });
    expect(difference).toMatchObject(NOTHING);
    expect(today.health.registry).toMatchObject({ instruments: BIG_DUMP_ROWS, status: 'ok' });
    expect(Object.values(today.held).filter((count) => count > 0)).toEqual([]);
    expect(Math.min(...stopsMs)).toBeLessThan(boundMs);
  });
});
