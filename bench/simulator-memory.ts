import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { istMs } from '#shared/market/calendar.ts';
import type { LiveSession } from '#simulator/contracts.ts';
import { createMarket } from '#simulator/engine/market.ts';
import { FaultBox } from '#simulator/faults/faults.ts';
import { createFeed } from '#simulator/feed/feed.ts';
import { atMost, type Figure } from './figure.ts';

const DUMP = join(
  process.env.TICKER_DATA_DIR ?? '../shared/data',
  'kite-instruments-nfo-bfo-2026-08-18.csv.gz',
);
const INDEX_NAMES = new Set([
  'NIFTY',
  'BANKNIFTY',
  'FINNIFTY',
  'MIDCPNIFTY',
  'NIFTYNXT50',
  'SENSEX',
  'BANKEX',
]);
const LINKS = 3;
const INSTRUMENTS_A_LINK = 3_000;
const SPEED = 60;
const WARM_UP_MINUTES = 15;
const MEASURED_MINUTES = 60;
const BUDGET_MB = 5;
const LOOKS = 12;
const LOOK_EVERY_MS = 150;

/**
 * What the memory that the simulator holds on to grows by in an hour of market time at 60x, 9,000 instruments in full mode on three links.
 * Without the real dump the built-in universe stands in and its instruments are on several links.
 */
export async function simulatorMemoryGrowth(): Promise<Figure> {
  const market = await createMarket({
    nowMs: istMs('2026-08-18', '10:00'),
    speed: SPEED,
    ...(existsSync(DUMP) ? { instrumentFiles: [DUMP] } : {}),
  });
  const session: LiveSession = { user_id: 'BENCH', api_key: 'bench', access_token: 'bench' };
  const sessions = { resolve: () => session, onEnd: () => () => {} };
  const feed = createFeed({ market, sessions, faults: new FaultBox(market.clock, 1) });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => feed.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const readers = Array.from({ length: LINKS }, () =>
    fork(new URL('simulator-feed-reader.ts', import.meta.url)),
  );
  try {
    const { port } = server.address() as AddressInfo;
    const rows = [...market.instruments()].sort((a, b) => rank(a.name) - rank(b.name));
    const started = readers.map((reader, link) => {
      const from = rows.length < LINKS * INSTRUMENTS_A_LINK ? 0 : link * INSTRUMENTS_A_LINK;
      const tokens = rows.slice(from, from + INSTRUMENTS_A_LINK).map((row) => row.instrument_token);
      reader.send({ port, tokens });
      return once(reader, 'message');
    });
    await Promise.all(started);
    await sleep((WARM_UP_MINUTES / SPEED) * 60_000);
    const before = await leastKeptBytes();
    await sleep((MEASURED_MINUTES / SPEED) * 60_000);
    const grownMb = Math.max(0, (await leastKeptBytes()) - before) / 2 ** 20;
    return atMost('simulator_memory_growth_mb', grownMb, 'MB/h', BUDGET_MB);
  } finally {
    for (const reader of readers) reader.kill();
    await feed.close();
    market.close();
    server.close();
  }
}

/** Frames on their way come and go within a second: the least of several looks has none of them. */
async function leastKeptBytes(): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    looks.push(keptBytes());
    await sleep(LOOK_EVERY_MS);
  }
  return Math.min(...looks);
}

/** What is left after a full collection: the resident size also follows the collector's own moods. */
function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function rank(name: string): number {
  return INDEX_NAMES.has(name) ? 0 : 1;
}
