import { Agent, request } from 'node:http';
import { startSimulator } from '#simulator/server.ts';
import { atLeast, type Figure } from './figure.ts';

const WARM_UP = 300;
const ORDERS = 4_000;
const CLIENTS = 8;
const FORM = new URLSearchParams({
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: '1',
  product: 'MIS',
  order_type: 'MARKET',
  market_protection: '-1',
}).toString();

/** REST orders a second that one simulator takes and fills, its client in the same process and so on the same core. */
export async function simulatorOrdersPerSecond(): Promise<Figure> {
  const simulator = await startSimulator({ nowMs: Date.parse('2026-11-18T10:30:00+05:30'), market: 'open' });
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  try {
    const { box, port } = simulator;
    box.switches.set({ rate_limits: false, order_limits: false, exchange_latency_ms: 0 });
    const session = box.sessions.open(box.accounts.byApiKey('simkey')!, false);
    const authorization = `token simkey:${session.access_token}`;
    await placeMany(WARM_UP, port, authorization, agent);
    const startedMs = performance.now();
    await placeMany(ORDERS, port, authorization, agent);
    const seconds = (performance.now() - startedMs) / 1000;
    const filled = box.broker.everyOrder().filter((order) => order.status === 'COMPLETE').length;
    if (filled === 0) throw new Error('no order was filled: the figure would mean nothing');
    return atLeast('simulator_orders_per_s', ORDERS / seconds, 'orders/s', 500);
  } finally {
    agent.destroy();
    await simulator.close();
  }
}

async function placeMany(count: number, port: number, authorization: string, agent: Agent): Promise<void> {
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      await place(port, authorization, agent);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

function place(port: number, authorization: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': FORM.length,
    };
    const call = request(
      { host: '127.0.0.1', port, method: 'POST', path: '/orders/regular', headers, agent },
      (reply) => {
        reply.resume();
        reply.on('end', () =>
          reply.statusCode === 200 ? resolve() : reject(new Error(`HTTP ${reply.statusCode}`)),
        );
      },
    );
    call.on('error', reject);
    call.end(FORM);
  });
}
