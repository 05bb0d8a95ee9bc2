import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Simulator } from '#simulator/server.ts';
import { orderRow, tradeRow } from '#simulator/trading/order.ts';
import { nearestCall, scriptedLogin, startTestSimulator, USER } from './kit.ts';

const PYTHON = '.local/venv/bin/python';
const SCRIPT = 'test/integration/simulator/client.py';
const run = promisify(execFile);

interface Line {
  readonly name: string;
  readonly value?: unknown;
  readonly error?: string;
  readonly message?: string;
  readonly code?: number;
}

const missing = existsSync(PYTHON) ? '' : ` (skipped: ${PYTHON} is made by the first npm start or npm test)`;

describe.skipIf(missing !== '')(`the official Python client${missing}`, () => {
  let simulator: Simulator;
  let lines: Map<string, Line>;

  beforeAll(async () => {
    simulator = await startTestSimulator({ speed: 0 });
    const { market } = simulator.box;
    const infy = market.bySymbol('NSE', 'INFY')!.instrument_token;
    const args = [
      SCRIPT,
      simulator.url,
      simulator.wsUrl,
      await scriptedLogin(simulator.url),
      nearestCall(simulator).tradingsymbol,
      String(infy),
      String(market.quote(infy)!.last_price),
    ];
    const { stdout } = await run(PYTHON, args);
    lines = new Map(
      stdout
        .trim()
        .split('\n')
        .map((text) => [(JSON.parse(text) as Line).name, JSON.parse(text) as Line]),
    );
  });
  afterAll(() => simulator?.close());

  const line = (name: string) => lines.get(name)!;
  const value = <Value>(name: string) => line(name).value as Value;
  const stateOf = (order_id: string) =>
    simulator.box.broker.everyOrder().find((o) => o.order_id === order_id)!;
  type Row = Record<string, unknown>;

  test('no method fails but those that shall', () => {
    const failed = [...lines.values()]
      .filter((l) => l.error !== undefined)
      .map((l) => [l.name, l.error, l.code]);
    expect(failed).toEqual([
      ['generate_session_again', 'TokenException', 403],
      ['cancel_again', 'OrderException', 400],
      ['bad_quantity', 'InputException', 400],
      ['historical_too_long', 'InputException', 400],
      ['place_mf_order', 'GeneralException', 405],
      ['profile_ended', 'TokenException', 403],
      ['profile_dead', 'TokenException', 403],
    ]);
    expect(line('bad_quantity').message).toContain('quantity');
    expect(value('hooked')).toBe(2);
  });

  test('session, profile and margins', () => {
    expect(value('generate_session')).toMatchObject({ user_id: USER, api_key: 'simkey' });
    expect(value<Row>('renew_access_token').access_token).not.toBe(
      value<Row>('generate_session').access_token,
    );
    expect(value('profile')).toMatchObject({ user_id: USER });
    expect(value<Row>('margins').equity).toEqual(value('margins_equity'));
  });

  test('orders, their history and trades are those of the state', () => {
    const done = stateOf(value('place_order'));
    expect(done).toMatchObject({ status: 'COMPLETE', tag: 'py1', filled_quantity: 2 });
    expect(stateOf(value('cancel_order'))).toMatchObject({ status: 'CANCELLED', quantity: 4, price: 1201.5 });
    expect(stateOf(value('iceberg'))).toMatchObject({ quantity: 2, validity: 'TTL', validity_ttl: 5 });
    expect(stateOf(value('amo')).status).toBe('AMO REQ RECEIVED');
    expect(stateOf(value('auction'))).toMatchObject({ variety: 'auction', status: 'OPEN' });
    expect(stateOf(value('exit_order')).status).toBe('COMPLETE');
    expect(value<Row>('place_autoslice_order').children).toHaveLength(2);
    const listed = value<Row[]>('orders').find((row) => row.order_id === done.order_id)!;
    expect(listed).toEqual(orderRow(done));
    expect(value<Row[]>('order_history').map((row) => row.status)).toEqual(
      done.history.map((row) => row.status),
    );
    const trades = simulator.box.broker.desk(USER).trades.filter((trade) => trade.order === done);
    expect(value('order_trades')).toEqual(trades.map(tradeRow));
    expect(value<Row[]>('trades').length).toBeGreaterThanOrEqual(trades.length);
  });

  test('positions, conversion and holdings', () => {
    expect(value('convert_position')).toBe(true);
    const { net } = value<{ net: Row[] }>('positions');
    expect(net.find((row) => row.product === 'MIS' && row.exchange === 'NFO')).toMatchObject({
      quantity: 65,
    });
    const held = simulator.box.broker
      .desk(USER)
      .holdings.map((h) => [h.instrument.tradingsymbol, h.quantity]);
    expect(value<Row[]>('holdings').map((row) => [row.tradingsymbol, row.quantity])).toEqual(held);
    expect(value<Row[]>('get_auction_instruments')[0]).toHaveProperty('auction_number');
  });

  test('instruments, quotes and candles', () => {
    const { market } = simulator.box;
    const token = market.bySymbol('NSE', 'INFY')!.instrument_token;
    const state = market.quote(token)!;
    expect(value('instruments')).toBe(market.instruments().length);
    expect(value('instruments_nfo')).toMatchObject({ exchange: 'NFO', last_price: expect.any(Number) });
    const quote = value<Record<string, Row>>('quote');
    expect(Object.keys(quote)).toEqual(['NSE:INFY', 'NSE:NIFTY 50']);
    expect(quote['NSE:INFY']).toMatchObject({
      last_price: state.last_price,
      depth: state.depth,
      oi: state.oi,
    });
    expect(value('ohlc')).toEqual({
      'NSE:INFY': { instrument_token: token, last_price: state.last_price, ohlc: state.ohlc },
    });
    expect(value('ltp')).toEqual({ 'NSE:INFY': { instrument_token: token, last_price: state.last_price } });
    expect(value<Row>('trigger_range')['NSE:INFY']).toMatchObject({ upper: state.last_price });
    const candles = market.candles(
      token,
      5,
      Date.parse('2026-11-17T09:15:00+05:30'),
      Date.parse('2026-11-17T09:30:00+05:30'),
    );
    expect(value<Row[]>('historical_data').map(({ open, close, oi }) => [open, close, oi])).toEqual(
      candles.map(({ open, close, oi }) => [open, close, oi]),
    );
  });

  test('the ticker gets a full tick and an order update', () => {
    const { ticks, orders, errors } = value<{ ticks: Row[]; orders: Row[]; errors: unknown[] }>('ticker');
    const state = simulator.box.market.quote(Number(ticks[0]!.instrument_token))!;
    expect(ticks[0]).toMatchObject({
      mode: 'full',
      last_price: state.last_price,
      ohlc: { close: state.ohlc.close },
    });
    expect(orders[0]).toMatchObject({ tag: 'pyfeed', status: 'OPEN', tradingsymbol: 'INFY' });
    expect(errors).toEqual([]);
  });

  test('GTT', () => {
    const { trigger_id } = value<{ trigger_id: number }>('place_gtt');
    expect(value('get_gtt')).toMatchObject({
      id: trigger_id,
      status: 'active',
      condition: { trigger_values: [1205] },
    });
    expect(simulator.box.gtts.get(USER, trigger_id).status).toBe('deleted');
  });

  test('calculators and funds', () => {
    const [margin] = value<Row[]>('order_margins');
    expect(value<{ initial: Row }>('basket_order_margins').initial.span).toBe(margin!.span);
    expect(value<{ charges: Row }[]>('get_virtual_contract_note')[0]!.charges.transaction_tax).toBe(9.75);
    expect(value<Row>('mf_order').order_id).toBe(value<Row[]>('mf_orders')[0]!.order_id);
    expect(value<Row>('mf_sip').sip_id).toBe(value<Row[]>('mf_sips')[0]!.sip_id);
    expect(value<Row[]>('mf_instruments').length).toBe(value<Row[]>('mf_holdings').length);
  });
});
