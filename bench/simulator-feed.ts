import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveSession } from '#simulator/contracts.ts';
import { createMarket } from '#simulator/engine/market.ts';
import { FaultBox } from '#simulator/faults/faults.ts';
import { createFeed } from '#simulator/feed/feed.ts';
import { atLeast, type Figure } from './figure.ts';

const BUDGET_TICKS_PER_S = 200_000;
/** More than the budget: the figure is what the process manages, not what it was asked for. */
const ASKED_TICKS_PER_S = 1_000_000;
const INSTRUMENTS = 3_000;
const WARM_UP_MS = 1_500;
const MEASURED_MS = 4_000;

/** Full-mode ticks a second that one simulator process sends and a reader in another process counts. */
export async function simulatorFeedRate(): Promise<Figure> {
  const market = await createMarket({ market: 'open' });
  const session: LiveSession = { user_id: 'BENCH', api_key: 'bench', access_token: 'bench' };
  const sessions = { resolve: () => session, onEnd: () => () => {} };
  const feed = createFeed({ market, sessions, faults: new FaultBox(market.clock, 1) });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => feed.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tokens = market
    .instruments()
    .slice(0, INSTRUMENTS)
    .map((instrument) => instrument.instrument_token);
  const reader = fork(new URL('simulator-feed-reader.ts', import.meta.url));
  try {
    reader.send({ port: (server.address() as AddressInfo).port, tokens });
    await once(reader, 'message');
    feed.setLoad({ ticksPerSecond: ASKED_TICKS_PER_S });
    await sleep(WARM_UP_MS);
    const from = await countOf(reader);
    await sleep(MEASURED_MS);
    const to = await countOf(reader);
    const rate = ((to.ticks - from.ticks) / (to.atMs - from.atMs)) * 1000;
    return atLeast('simulator_feed_ticks_per_s', rate, 'ticks/s', BUDGET_TICKS_PER_S);
  } finally {
    reader.kill();
    await feed.close();
    market.close();
    server.close();
  }
}

interface Count {
  readonly ticks: number;
  readonly atMs: number;
}

async function countOf(reader: ReturnType<typeof fork>): Promise<Count> {
  reader.send('count');
  const [count] = (await once(reader, 'message')) as [Count];
  return count;
}
