import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Simulator } from '#simulator/server.ts';
import { nearestCall, scriptedLogin, startTestSimulator, USER } from './kit.ts';

const SOURCE = 'test/integration/simulator/go';
/** A first build compiles Go's standard library as well. */
const BUILD_TIMEOUT_MS = 120_000;
const run = promisify(execFile);

/** Builds the program; without Go or its modules (they come from the Go module proxy) the reason. */
async function build(folder: string): Promise<{ binary: string } | { reason: string }> {
  const binary = join(folder, 'conformance');
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd: SOURCE, timeout: BUILD_TIMEOUT_MS });
    return { binary };
  } catch (error) {
    const { stderr, message, killed } = error as Error & { stderr?: string; killed?: boolean };
    if (killed === true) return { reason: 'go build took too long' };
    const text = stderr || message;
    // A program that does not compile is a defect, not a missing tool.
    if (/^\.\/main\.go:/m.test(text)) throw error;
    return { reason: text.trim().split('\n')[0] ?? 'go build failed' };
  }
}

const folder = await mkdtemp(join(tmpdir(), 'simulator-go-'));
const built = await build(folder);
afterAll(() => rm(folder, { recursive: true }));
const skipped = 'reason' in built ? ` (skipped: ${built.reason})` : '';

describe.skipIf(skipped !== '')(`the official Go client${skipped}`, () => {
  let simulator: Simulator;
  let lines: Map<string, { name: string; value?: unknown; error?: string }>;

  beforeAll(async () => {
    simulator = await startTestSimulator();
    const { market } = simulator.box;
    const infy = market.bySymbol('NSE', 'INFY')!.instrument_token;
    const { stdout } = await run((built as { binary: string }).binary, [
      simulator.url,
      simulator.wsUrl,
      await scriptedLogin(simulator.url),
      nearestCall(simulator).tradingsymbol,
      String(infy),
      String(market.quote(infy)!.last_price),
    ]);
    const parsed = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { name: string });
    lines = new Map(parsed.map((line) => [line.name, line]));
  });
  afterAll(() => simulator?.close());

  const value = <Value>(name: string) => lines.get(name)!.value as Value;
  const stateOf = (order_id: string) =>
    simulator.box.broker.everyOrder().find((o) => o.order_id === order_id)!;
  type Row = Record<string, unknown>;

  test('no method fails but the one whose query the client loses, and what follows the logout', () => {
    const failed = [...lines.values()].filter((line) => line.error !== undefined);
    expect(failed.map(({ name, error }) => [name, error])).toEqual([
      ['DeleteAlerts', 'InputException'],
      ['GetUserProfile_ended', 'TokenException'],
      ['GetUserProfile_dead', 'TokenException'],
    ]);
  });

  test('session, profile and margins', () => {
    expect(value('GenerateSession')).toMatchObject({ user_id: USER, api_key: 'simkey' });
    expect(value('GetFullUserProfile')).toMatchObject({ user_id: USER, twofa_type: 'totp' });
    expect(value<{ equity: Row }>('GetUserMargins').equity).toEqual(value('GetUserSegmentMargins'));
  });

  test('orders are those of the state', () => {
    const { order_id } = value<{ order_id: string }>('PlaceOrder');
    const done = stateOf(order_id);
    expect(done).toMatchObject({ status: 'COMPLETE', tag: 'go1', filled_quantity: 2 });
    const row = value<Row[]>('GetOrders').find((listed) => listed.order_id === order_id)!;
    expect(row).toMatchObject({
      status: 'COMPLETE',
      quantity: 2,
      average_price: done.filledValue / 2 / 10_000,
    });
    expect(value<Row[]>('GetOrderHistory').map(({ status }) => status)).toEqual(
      done.history.map(({ status }) => status),
    );
    expect(value<Row[]>('GetOrderTrades').reduce((sum, trade) => sum + Number(trade.quantity), 0)).toBe(2);
    const { order_id: rest } = value<{ order_id: string }>('CancelOrder');
    expect(stateOf(rest)).toMatchObject({ status: 'CANCELLED', quantity: 4, price: 1201.5 });
    const placed = (name: string) => stateOf(value<{ order_id: string }>(`PlaceOrder_${name}`).order_id);
    expect(placed('iceberg')).toMatchObject({ quantity: 2, validity: 'TTL', iceberg: { legs: 2 } });
    expect(placed('cover')).toMatchObject({ product: 'CO', status: 'COMPLETE' });
    expect(placed('auction')).toMatchObject({ variety: 'auction', status: 'OPEN' });
    expect(value<{ children: Row[] }>('PlaceOrder_autoslice').children).toHaveLength(2);
  });

  test('positions and holdings', () => {
    const { net } = value<{ net: Row[] }>('GetPositions');
    expect(net.find((row) => row.product === 'MIS')).toMatchObject({ quantity: 65, exchange: 'NFO' });
    const held = simulator.box.broker.desk(USER).holdings;
    expect(value<Row[]>('GetHoldingsCompact').map((row) => [row.tradingsymbol, row.quantity])).toEqual(
      held.map((h) => [h.instrument.tradingsymbol, h.quantity]),
    );
    const { invested_amount, current_value, total_pnl } = value<Record<string, number>>('GetHoldingsSummary');
    expect(total_pnl).toBeCloseTo(current_value! - invested_amount!, 2);
    expect(held[0]!.authorisedQuantity).toBe(1);
  });

  test('instruments, quotes and candles', () => {
    const { market } = simulator.box;
    expect(value('GetInstruments')).toBe(market.instruments().length);
    expect(Object.keys(value<Row>('GetQuote'))).toEqual(['NSE:INFY', 'NSE:NIFTY 50']);
    expect(value<Row[]>('GetHistoricalData')).toHaveLength(4);
  });

  test('GTT and alerts', () => {
    expect(value('GetGTT')).toMatchObject({
      status: 'active',
      type: 'two-leg',
      condition: { trigger_values: [1205, 2000] },
    });
    expect(value('GetAlert')).toMatchObject({ rhs_constant: 2, lhs_exchange: 'INDICES', status: 'enabled' });
    expect(value<Row[]>('GetAlerts')).toHaveLength(1);
  });

  test('calculators and funds', () => {
    expect(value<{ charges: Row }[]>('GetOrderCharges')[0]!.charges.transaction_tax).toBe(9.75);
    expect(value<Row[]>('GetMFHoldings')).toHaveLength(value<string[]>('GetMFAllottedISINs').length);
  });

  test('the ticker gets ticks and order updates', () => {
    expect(value('Ticker_tick')).toMatchObject({ Mode: 'full', LastPrice: expect.any(Number) });
    expect(value('Ticker_order')).toMatchObject({ tag: 'gofeed', status: 'OPEN' });
  });
});
