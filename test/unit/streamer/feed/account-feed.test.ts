import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { istMs } from '#shared/market/calendar.ts';
import type { FeedMode } from '#shared/market/instrument.ts';
import { AccountStreamer } from '#streamer/account.ts';
import { readConfig } from '#streamer/config.ts';
import { TEND_EVERY_MS } from '#streamer/feed/account-feed.ts';
import { feedMetrics } from '#streamer/health/feed-metrics.ts';
import { definers } from '#streamer/health/metrics.ts';
import { accountSettings, thresholdSettings } from '#streamer/settings.ts';
import { instrumentRow } from '#test/support/frames.ts';
import { until } from '#test/support/processes.ts';
import { ScriptedBroker } from '#test/support/scripted-broker.ts';

const WAIT_MS = 20_000;

/** An account over a real WebSocket to a scripted broker; only what its connections tell is kept. */
describe('the connections of an account', () => {
  let broker: ScriptedBroker;
  let account: AccountStreamer;
  let tending: NodeJS.Timeout | undefined;
  let session = { api_key: 'key', access_token: 'first', session_version: 1 };
  const told: string[] = [];
  let skippedMs = 0;
  let registry: Registry;

  async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const config = readConfig({
      REDIS_URL: 'redis://127.0.0.1:1',
      BROKER_WS_URL: await broker.start(),
      RECONNECT_BASE_MS: '10',
      RECONNECT_MAX_MS: '50',
      OVERLAP_MAX_MS: '200',
      ...env,
    });
    const clock = systemClock();
    account = new AccountStreamer(
      'primary',
      accountSettings(config),
      {
        // A holiday: no stall is looked for.
        clock: {
          ...clock,
          nowMs: () => istMs('2026-08-16', '11:00'),
          steadyMs: () => clock.steadyMs() + skippedMs,
        },
        sink: { isIdle: true, accepts: true, publish: () => {} },
        random: () => 0.5,
        lease: () => 1,
        elsewhereMs: () => 0,
        accounts: { readSession: async () => session },
      },
      {
        onChanged: () => {},
        onRemoved: () => {},
        beforeFrame: () => {},
        onOpen: (link) => told.push(`open ${link}`),
        onLeft: (link) => told.push(`left ${link}`),
        onDown: (cause, _detail, link) => told.push(`down ${link} ${cause}`),
        onReplaced: (cause) => told.push(`replaced ${cause}`),
        onNearlyFull: (used, capacity) => told.push(`nearly full ${used}/${capacity}`),
        onSessionTaken: (version) => told.push(`taken ${version}`),
        onSessionDead: (version) => told.push(`dead ${version}`),
        onOrder: (text, link) => told.push(`order ${link} ${text}`),
        onText: (text) => told.push(`text ${text}`),
        onFrame: () => {},
      },
    );
    registry = new Registry();
    const { gauge, counter } = definers(registry);
    feedMetrics({ accounts: () => [account], thresholds: thresholdSettings(config) }, gauge, counter);
    account.start();
    tending = setInterval(() => account.feed.tend(), TEND_EVERY_MS);
  }

  function claim(from: number, to: number, mode: FeedMode = 'full'): void {
    const rows = Array.from({ length: to - from }, (_, index) => {
      const instrument_token = ((from + index + 1) << 8) | 1;
      const instrument = instrumentRow({ instrument_token, tradingsymbol: `S${from + index}` });
      return { instrument_token, mode, version: 1, instrument };
    });
    account.apply(rows, []);
  }

  const states = () => account.feed.pool.connections.map(({ state }) => state);
  const isOpen = (links: number) => () =>
    states().length === links && states().every((state) => state === 'open');
  const times = (line: string) => told.filter((each) => each === line).length;

  beforeEach(() => {
    broker = new ScriptedBroker();
    session = { api_key: 'key', access_token: 'first', session_version: 1 };
    told.length = 0;
    skippedMs = 0;
  });
  afterEach(() => {
    clearInterval(tending);
    account.close();
    broker.stop();
  });

  it('a newer session that a refused one reads first counts for the others too', async () => {
    await start({ CONNECTION_SOFT_TARGET: '3' });
    claim(0, 6);
    await until(isOpen(2), WAIT_MS, 'two connections');
    broker.refuse = 403;
    broker.dropOne();
    await until(() => times('dead 1') === 1, WAIT_MS, 'the dead session');
    await until(() => account.downs.get('refused_403')! >= 3, WAIT_MS, 'three refusals');
    session = { api_key: 'key', access_token: 'second', session_version: 2 };
    broker.refuse = undefined;
    const versions = () => account.feed.pool.connections.map(({ sessionVersion }) => sessionVersion);
    await until(() => versions().join() === '2,2' && isOpen(2)(), WAIT_MS, 'both with the new session');
    expect(times('dead 1')).toBe(1);
    expect(times('replaced new_session')).toBe(1);
    account.sessionChanged(2);
    expect(times('replaced new_session')).toBe(1);
  });

  it('order frames are told apart from all other text', async () => {
    await start();
    await until(isOpen(1), WAIT_MS, 'the connection');
    broker.send('{"type":"order","data":{}}');
    broker.send('{"type":"message","data":"order"}');
    await until(() => told.some((line) => line.startsWith('text')), WAIT_MS, 'the texts');
    expect(told).toContain('order 1 {"type":"order","data":{}}');
    expect(told).toContain('text {"type":"message","data":"order"}');
  });

  it('nearly full is told once, and again after it was well below', async () => {
    await start({ INSTRUMENTS_PER_CONNECTION: '10' });
    const isTold = (count: number) => () => told.filter((line) => line.startsWith('nearly')).length === count;
    claim(0, 15);
    claim(15, 16);
    await until(isTold(1), WAIT_MS, 'the warning');
    expect(told).toContain('nearly full 16/20');
    expect(await registry.metrics()).toContain('websocket_pool_capacity_warning{account_id="primary"} 1');
    expect(account.feed.report().capacity).toEqual({ instruments: 20, used: 16, warning: true });
    claim(16, 17);
    account.apply([], [...account.current().keys()].slice(5));
    const isCalm = () => !account.feed.report().capacity.warning;
    await until(isCalm, WAIT_MS, 'room');
    await new Promise((done) => setTimeout(done, 500));
    claim(0, 16);
    await until(isTold(2), WAIT_MS, 'the second warning');
  });

  it('losses of the last hour are counted and judged, replacements for a session are not', async () => {
    await start({ FEED_SILENCE_MS: '100000000', OVERLAP_MAX_MS: '1500' });
    claim(0, 3);
    await until(isOpen(1), WAIT_MS, 'the connection');
    const level = async (value: number) =>
      expect(await registry.metrics()).toContain(
        `threshold_level{threshold="reconnects_per_hour",account_id="primary"} ${value}`,
      );
    await level(0);
    for (let loss = 1; loss <= 6; loss += 1) {
      broker.drop();
      const isBack = () => told.filter((line) => line.startsWith('down')).length === loss && isOpen(1)();
      await until(isBack, WAIT_MS, `loss ${loss} to be over`);
    }
    session = { api_key: 'key', access_token: 'second', session_version: 2 };
    account.sessionChanged(2);
    const moving = 'websocket_pool_moves{account_id="primary",kind="replace"} 1';
    await until(async () => (await registry.metrics()).includes(moving), WAIT_MS, 'the move to be told of');
    await until(() => times('replaced new_session') === 1, WAIT_MS, 'the new session');
    expect(account.feed.troublesInHour).toBe(6);
    await level(1);
    expect(await registry.metrics()).toContain(
      'websocket_connection_session_version{account_id="primary",connection="0"} 2',
    );
    skippedMs += 1_800_000;
    expect(account.feed.troublesInHour).toBe(6);
    skippedMs += 1_800_000;
    expect(account.feed.troublesInHour).toBe(0);
    await level(0);
  });

  it('instruments past a stated limit are asked for on another connection', async () => {
    await start({ INSTRUMENTS_PER_CONNECTION: '10', CONNECTION_SOFT_TARGET: '10' });
    claim(0, 8);
    await until(isOpen(1), WAIT_MS, 'the connection');
    broker.send(`{"type":"error","data":"Can't subscribe to more than 5 instruments."}`);
    await until(isOpen(2), WAIT_MS, 'a second connection');
    expect(account.feed.pool.connections.map(({ size }) => size)).toEqual([5, 3]);
    const report = account.feed.report();
    expect(report.connections.map(({ capacity }) => capacity)).toEqual([5, 5]);
    expect(report.unplaced).toBe(0);
  });
});
