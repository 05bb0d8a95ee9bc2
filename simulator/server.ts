import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Box } from './box.ts';
import { mountControl } from './control/routes.ts';
import { SwitchBoard } from './control/switches.ts';
import { createMarket, type MarketOptions } from './engine/market.ts';
import { FaultBox } from './faults/faults.ts';
import { createFeed, type FeedOptions } from './feed/feed.ts';
import { Accounts } from './login/accounts.ts';
import { LOGIN_PATHS, mountLogin, WebLogins } from './login/routes.ts';
import { SessionStore } from './login/sessions.ts';
import { mountRoutes, mountWrongMethods, newApp } from './rest/app.ts';
import { DUMP_PATHS, mountInstruments, quoteRow } from './rest/market-routes.ts';
import { RateLimits } from './rest/rate-limits.ts';
import { allRoutes } from './rest/routes.ts';
import { mountSessions, SESSION_PATHS } from './rest/session-routes.ts';
import { AlertDesk } from './trading/alerts.ts';
import { Broker } from './trading/broker.ts';
import { DayTurner } from './trading/day.ts';
import { GttDesk } from './trading/gtt.ts';
import { Notifier } from './trading/notifier.ts';

/** A thousand instruments of a quote call stand in its URL. */
const MAX_HEADER_BYTES = 128 * 1024;
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;

export interface SimulatorOptions extends MarketOptions {
  /** 0 takes a free port; default 0. */
  readonly port?: number;
  readonly host?: string;
  readonly feed?: Omit<FeedOptions, 'market' | 'sessions' | 'faults'>;
}

export interface Simulator {
  /** REST, login page and control calls. */
  readonly url: string;
  /** The feed, with the slash that upgrades come at. */
  readonly wsUrl: string;
  readonly port: number;
  /** What is inside, for tests in the same process. */
  readonly box: Box;
  close(): Promise<void>;
}

/**
 * Starts the exchange in a box on one port.
 * @throws MarketInputError for files that cannot be used; the socket's own error when the port is taken.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, host = '127.0.0.1', feed: feedOptions = {}, ...marketOptions } = options;
  const market = await createMarket(marketOptions);
  const accounts = new Accounts();
  const sessions = new SessionStore(market.clock);
  const faults = new FaultBox(market.clock, marketOptions.seed ?? 1);
  const switches = new SwitchBoard();
  const feed = createFeed({ market, sessions, faults, ...feedOptions });
  const notifier = new Notifier(accounts, switches, (userId, order) => feed.sendOrder(userId, order));
  const broker = new Broker({
    market,
    switches,
    cashOf: (userId) => {
      const account = accounts.byUserId(userId);
      return { equity: account?.cash ?? 0, commodity: account?.commodity_cash ?? 0 };
    },
    notify: (order, event) => notifier.changed(order, event),
  });
  const gtts = new GttDesk(broker);
  const box: Box = {
    market,
    broker,
    gtts,
    alerts: new AlertDesk(broker, quoteRow),
    accounts,
    sessions,
    faults,
    switches,
    feed,
    rateLimits: new RateLimits(market.clock),
  };
  market.onNewDump(() => {
    for (const room of [broker, box.gtts, box.alerts]) room.renewInstruments();
  });
  const day = new DayTurner(broker, () => {
    gtts.advance();
    sessions.endOverdue();
  });
  const app = newApp();
  const logins = new WebLogins();
  mountControl(app, { box, logins, day, notifier, startedWallMs: market.clock.wallMs() });
  mountLogin(app, box, logins);
  mountSessions(app, box);
  const routes = allRoutes(box);
  mountRoutes(app, box, routes);
  mountInstruments(app, box);
  mountWrongMethods(app, ['', '/oms'], [...routes.map((route) => route.path), ...SESSION_PATHS]);
  mountWrongMethods(app, [''], [...DUMP_PATHS, ...LOGIN_PATHS]);
  const serverOptions = { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server;
  server.on('upgrade', (request, socket, head) => feed.upgrade(request, socket, head));
  const close = () => closeAll(server, box, day);
  const address = await listen(server, port, host).catch(async (error: Error) => {
    await close();
    throw error;
  });
  return {
    url: `http://${host}:${address.port}`,
    wsUrl: `ws://${host}:${address.port}/`,
    port: address.port,
    box,
    close,
  };
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

async function closeAll(server: Server, { market, broker, feed }: Box, day: DayTurner): Promise<void> {
  day.close();
  broker.close();
  market.close();
  await feed.close();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
