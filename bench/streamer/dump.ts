import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip, gzipSync } from 'node:zlib';
import { formatInstrumentsCsv, parseInstrumentsCsv } from '#shared/market/instruments-csv.ts';
import { type Dump, DumpRegistry } from '#streamer/day/registry.ts';
import { longestTurnMs } from '#test/support/longest-turn.ts';
import { atMost, type Figure, observed, percentile } from '../figure.ts';
import { benchOptions, REGISTRY_ROWS } from './universe.ts';

const LOADS = 9;
/** What a frame may wait at most, by the budget of `latency_p99_ms`. */
const LONGEST_TURN_MS = 5;

/**
 * A whole dump read in the background: the longest that the event loop is kept by it, in the median of some loads and
 * in the first, whose code is not compiled yet; what a load costs in all, and what reading the dump with the CSV library
 * in one go takes. All in processor time.
 */
export async function dumpLoad(): Promise<Figure[]> {
  const csv = formatInstrumentsCsv(benchOptions(REGISTRY_ROWS));
  const dump = dumpOf(gzipSync(csv));
  const turnsMs: number[] = [];
  const cpuMs: number[] = [];
  for (let load = 0; load < LOADS; load += 1) {
    turnsMs.push(await longestTurnMs(() => loaded(dump)));
    const before = process.cpuUsage();
    await loaded(dump);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1_000);
  }
  const atOnceMs = await longestTurnMs(async () => {
    await nextTurn();
    parseInstrumentsCsv(csv);
  });
  process.stderr.write(
    `  longest turns of ${LOADS} loads: ${turnsMs.map((ms) => ms.toFixed(1)).join(' ')} ms\n`,
  );
  return [
    atMost('dump_longest_turn_ms', percentile(turnsMs, 0.5), 'ms', LONGEST_TURN_MS),
    observed('dump_first_longest_turn_ms', turnsMs[0]!, 'ms'),
    observed('dump_cpu_ms', percentile(cpuMs, 0.5), 'ms'),
    observed('dump_at_once_ms', atOnceMs, 'ms'),
  ];
}

function dumpOf(packed: Buffer): Dump {
  const pointer = {
    day: '2026-08-18',
    version: 'bench',
    prefix: 'bench',
    count: REGISTRY_ROWS,
    refreshed_at: '2026-08-18T03:00:00.000Z',
  };
  return { pointer, open: async () => Readable.from([packed]).pipe(createGunzip()) };
}

async function loaded(dump: Dump): Promise<void> {
  const registry = new DumpRegistry(async () => dump);
  await registry.look();
  if (registry.loads !== 1) throw new Error('the dump was not read');
}
