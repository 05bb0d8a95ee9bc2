import type { KiteConnect } from 'kiteconnect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { istDateTime } from '#shared/market/calendar.ts';
import type { Simulator } from '#simulator/server.ts';
import { orderRow, tradeRow } from '#simulator/trading/order.ts';
import { positionRow } from '#simulator/trading/positions.ts';
import { APP, loggedInClient, nearestCall, scriptedLogin, startTestSimulator, USER } from './kit.ts';

let simulator: Simulator;
let client: InstanceType<typeof KiteConnect>;

beforeAll(async () => {
  // Speed 0: the market stands still, so that what the client reads can be compared with the state.
  simulator = await startTestSimulator({ speed: 0 });
  client = await loggedInClient(simulator);
});
afterAll(() => simulator.close());

const order = {
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 3,
  product: 'CNC',
  order_type: 'MARKET',
  market_protection: -1,
  tag: 'js1',
} as const;

/** The client has the method, its types have not. */
interface WithAuctions {
  getAuctionInstruments(): Promise<{ tradingsymbol: string; auction_number: string }[]>;
}
type PlaceParams = Parameters<typeof client.placeOrder>[1];
type Variety = Parameters<typeof client.placeOrder>[0];
const place = async (more: object = {}, variety = 'regular') =>
  (await client.placeOrder(variety as Variety, { ...order, ...more } as unknown as PlaceParams))
    .order_id as string;
const stateOf = (order_id: string) => simulator.box.broker.everyOrder().find((o) => o.order_id === order_id)!;
/** The client turns times into Date objects; the rest must be as in the state. */
const withoutTimes = (row: object) =>
  Object.fromEntries(Object.entries(row).filter(([key]) => !/timestamp|created|instalment$/.test(key)));

test('generateSession answers the session that the state has, and its request_token is good once', async () => {
  const token = await scriptedLogin(simulator.url);
  const session = await client.generateSession(token, APP.api_secret);
  const [live] = simulator.box.sessions.list();
  expect(session).toMatchObject({ user_id: USER, api_key: APP.api_key, access_token: live!.access_token });
  await expect(client.generateSession(token, APP.api_secret)).rejects.toMatchObject({
    error_type: 'TokenException',
  });
});

test('renewAccessToken, invalidateRefreshToken and invalidateAccessToken; a dead session calls the expiry hook', async () => {
  const other = await loggedInClient(simulator);
  const session = simulator.box.sessions.liveOf(APP.api_key)!;
  const renewed = await other.renewAccessToken(session.refresh_token, APP.api_secret);
  expect(renewed.access_token).not.toBe(session.access_token);
  let hooked = 0;
  other.setSessionExpiryHook(() => {
    hooked += 1;
  });
  await expect(other.invalidateAccessToken()).resolves.toBe(true);
  await expect(other.getProfile()).rejects.toMatchObject({ error_type: 'TokenException' });
  expect(hooked).toBe(1);
  client = await loggedInClient(simulator);
  const again = simulator.box.sessions.liveOf(APP.api_key)!;
  await expect(client.invalidateRefreshToken(again.refresh_token)).resolves.toBe(true);
  client = await loggedInClient(simulator);
});

test('getProfile and getMargins', async () => {
  expect(await client.getProfile()).toMatchObject({ user_id: USER, broker: 'ZERODHA' });
  const { equity } = await client.getMargins();
  const desk = simulator.box.broker.desk(USER);
  expect(equity!.net * 10_000).toBeCloseTo(desk.available('equity'), 2);
  expect(await client.getMargins('equity')).toEqual(equity);
});

test('placeOrder, getOrders, getOrderHistory, getOrderTrades and getTrades show what the state has', async () => {
  const order_id = await place();
  const state = stateOf(order_id);
  expect(state).toMatchObject({ status: 'COMPLETE', tag: 'js1', filled_quantity: 3 });
  const [last] = (await client.getOrders()).slice(-1);
  expect(withoutTimes(last!)).toEqual(withoutTimes(orderRow(state)));
  const history = await client.getOrderHistory(order_id);
  expect(history.map((row: { status: string }) => row.status)).toEqual(
    state.history.map((row) => row.status),
  );
  const trades = simulator.box.broker.desk(USER).trades.filter((trade) => trade.order === state);
  const expected = trades.map(tradeRow).map(withoutTimes);
  expect((await client.getOrderTrades(order_id)).map(withoutTimes)).toEqual(expected);
  expect((await client.getTrades()).slice(-expected.length).map(withoutTimes)).toEqual(expected);
});

test('modifyOrder and cancelOrder change the order in the state', async () => {
  const order_id = await place({ order_type: 'LIMIT', price: 1200 });
  await client.modifyOrder('regular', order_id, { quantity: 5, price: 1201.5 });
  expect(stateOf(order_id)).toMatchObject({ status: 'OPEN', quantity: 5, price: 1201.5, modified: true });
  expect((await client.cancelOrder('regular', order_id)).order_id).toBe(order_id);
  expect(stateOf(order_id).status).toBe('CANCELLED');
  await expect(client.cancelOrder('regular', order_id)).rejects.toMatchObject({
    error_type: 'OrderException',
  });
});

test('varieties: iceberg, amo, auction, and a cover order that exitOrder closes', async () => {
  const leg = stateOf(await place({ quantity: 4, iceberg_legs: 2, iceberg_quantity: 2 }, 'iceberg'));
  expect(leg).toMatchObject({ quantity: 2, iceberg: { leg: 1, legs: 2, total_quantity: 4 } });
  expect(stateOf(await place({}, 'amo')).status).toBe('AMO REQ RECEIVED');
  const [auction] = await (client as unknown as WithAuctions).getAuctionInstruments();
  const sale = {
    transaction_type: 'SELL',
    tradingsymbol: auction!.tradingsymbol,
    quantity: 1,
    auction_number: auction!.auction_number,
  };
  expect(stateOf(await place(sale, 'auction'))).toMatchObject({ status: 'OPEN', variety: 'auction' });
  const last = simulator.box.market.quote(
    simulator.box.market.bySymbol('NSE', 'INFY')!.instrument_token,
  )!.last_price;
  const cover = await place({ product: 'MIS', trigger_price: Math.floor(last * 0.95) }, 'co');
  const second = simulator.box.broker.everyOrder().find((o) => o.parent_order_id === cover)!;
  await client.exitOrder('co', second.order_id, { parent_order_id: cover });
  expect(stateOf(second.order_id).status).toBe('COMPLETE');
});

test('autoslice answers children, or the flat list where the switch says so', async () => {
  const option = nearestCall(simulator);
  const big = {
    exchange: 'NFO',
    tradingsymbol: option.tradingsymbol,
    quantity: 65 * 40,
    product: 'NRML',
    order_type: 'LIMIT',
    price: 0.05,
    autoslice: true,
  };
  const sliced = await client.placeOrder('regular', { ...order, ...big } as unknown as PlaceParams);
  expect(sliced).toMatchObject({
    children: [{ order_id: sliced.order_id }, { order_id: expect.any(String) }],
  });
  simulator.box.switches.set({ autoslice_reply: 'flat' });
  const flat = await client.placeOrder('regular', { ...order, ...big } as unknown as PlaceParams);
  expect(flat).toEqual([{ order_id: expect.any(String) }, { order_id: expect.any(String) }]);
  simulator.box.switches.set({ autoslice_reply: 'children' });
});

test('getPositions and convertPosition', async () => {
  const option = nearestCall(simulator);
  await place({ exchange: 'NFO', tradingsymbol: option.tradingsymbol, quantity: 65, product: 'NRML' });
  const desk = simulator.box.broker.desk(USER);
  const expected = () =>
    desk.positions
      .list()
      .map((p) => positionRow(p, simulator.box.market.quote(p.instrument.instrument_token), 'net'));
  expect((await client.getPositions()).net).toEqual(expected());
  const done = await client.convertPosition({
    exchange: 'NFO',
    tradingsymbol: option.tradingsymbol,
    transaction_type: 'BUY',
    position_type: 'day',
    quantity: 65,
    old_product: 'NRML',
    new_product: 'MIS',
  } as Parameters<typeof client.convertPosition>[0]);
  expect(done).toBe(true);
  const { net, day } = await client.getPositions();
  expect(net).toEqual(expected());
  expect(day.find((p: { product: string }) => p.product === 'MIS')).toMatchObject({ quantity: 65 });
});

test('getHoldings agree with the state', async () => {
  const held = simulator.box.broker.desk(USER).holdings;
  const rows = await client.getHoldings();
  expect(rows.map((row) => [row.tradingsymbol, row.quantity])).toEqual(
    held.map((h) => [h.instrument.tradingsymbol, h.quantity]),
  );
});

test('getInstruments, whole and of one exchange', async () => {
  const all = simulator.box.market.instruments();
  const rows = (await client.getInstruments()) as unknown as {
    tradingsymbol: string;
    lot_size: number;
    last_price: number;
  }[];
  // The client's parser makes one more, empty row of the last newline.
  expect(rows.filter((row) => row.tradingsymbol !== undefined && row.tradingsymbol !== '')).toHaveLength(
    all.length,
  );
  const nfo = (await client.getInstruments('NFO')) as unknown as typeof rows;
  expect(nfo[0]).toMatchObject({ exchange: 'NFO', lot_size: expect.any(Number), strike: expect.any(Number) });
});

test('getQuote, getOHLC and getLTP; what is unknown is absent', async () => {
  const token = simulator.box.market.bySymbol('NSE', 'INFY')!.instrument_token;
  const state = simulator.box.market.quote(token)!;
  const quote = await client.getQuote(['NSE:INFY', 'NSE:NIFTY 50', 'NSE:NOSUCH']);
  expect(Object.keys(quote)).toEqual(['NSE:INFY', 'NSE:NIFTY 50']);
  expect(quote['NSE:INFY']).toMatchObject({
    instrument_token: token,
    last_price: state.last_price,
    volume: state.volume,
    depth: state.depth,
    ohlc: state.ohlc,
  });
  expect((await client.getOHLC(['NSE:INFY']))['NSE:INFY']).toEqual({
    instrument_token: token,
    last_price: state.last_price,
    ohlc: state.ohlc,
  });
  expect(await client.getLTP('NSE:INFY')).toEqual({
    'NSE:INFY': { instrument_token: token, last_price: state.last_price },
  });
});

test('getHistoricalData gives the market’s own candles', async () => {
  const token = simulator.box.market.bySymbol('NSE', 'INFY')!.instrument_token;
  const from = Date.parse('2026-11-17T09:15:00+05:30');
  const to = Date.parse('2026-11-17T09:30:00+05:30');
  const rows = (await client.getHistoricalData(
    token,
    '5minute',
    istDateTime(from),
    istDateTime(to),
    false,
    true,
  )) as { date: Date; open: number; close: number }[];
  const candles = simulator.box.market.candles(token, 5, from, to);
  expect(rows).toHaveLength(4);
  expect(rows.map((row) => [row.date.getTime(), row.open, row.close])).toEqual(
    candles.map((candle) => [candle.startMs, candle.open, candle.close]),
  );
  await expect(
    client.getHistoricalData(token, 'minute', '2026-01-01 00:00:00', '2026-11-01 00:00:00'),
  ).rejects.toMatchObject({ error_type: 'InputException', message: expect.stringContaining('60 days') });
});

test('orderMargins, orderBasketMargins and getvirtualContractNote', async () => {
  const option = nearestCall(simulator);
  const sell = {
    exchange: 'NFO',
    tradingsymbol: option.tradingsymbol,
    transaction_type: 'SELL',
    variety: 'regular',
    product: 'NRML',
    order_type: 'LIMIT',
    quantity: 65,
    price: 100,
  };
  type MarginOrders = Parameters<typeof client.orderMargins>[0];
  const [margin] = await client.orderMargins([sell] as unknown as MarginOrders);
  expect(margin).toMatchObject({ span: 65 * option.strike * 0.1, exposure: 65 * option.strike * 0.02 });
  const basket = await client.orderBasketMargins([
    sell,
    { ...sell, transaction_type: 'BUY' },
  ] as unknown as MarginOrders);
  expect(basket).toMatchObject({ initial: { span: margin!.span }, final: { span: 0 } });
  type Notes = Parameters<typeof client.getvirtualContractNote>[0];
  const note = { ...sell, order_id: '1', average_price: 100 };
  const [charged] = await client.getvirtualContractNote([note] as unknown as Notes);
  expect(charged!.charges).toMatchObject({
    transaction_tax: 9.75,
    brokerage: 20,
    transaction_tax_type: 'stt',
  });
});

test('GTT: place, get, list, modify, delete', async () => {
  const params = {
    trigger_type: 'single',
    tradingsymbol: 'INFY',
    exchange: 'NSE',
    trigger_values: [1400],
    last_price: 1500,
    orders: [{ transaction_type: 'BUY', quantity: 1, product: 'CNC', order_type: 'LIMIT', price: 1399 }],
  } as unknown as Parameters<typeof client.placeGTT>[0];
  const { trigger_id } = await client.placeGTT(params);
  expect(await client.getGTT(trigger_id)).toMatchObject({
    id: trigger_id,
    status: 'active',
    condition: { trigger_values: [1400] },
    orders: [{ price: 1399, result: null }],
  });
  await client.modifyGTT(trigger_id, { ...params, trigger_values: [1410] });
  expect((await client.getGTTs()).find((gtt) => gtt.id === trigger_id)).toMatchObject({
    condition: { trigger_values: [1410] },
  });
  expect((await client.deleteGTT(trigger_id)).trigger_id).toBe(trigger_id);
  expect((await client.getGTT(trigger_id)).status).toBe('deleted');
});

test('mutual fund reads; placing is refused, since the broker does not offer it', async () => {
  const orders = (await client.getMFOrders()) as { order_id: string }[];
  expect(orders.length).toBeGreaterThan(0);
  expect(await client.getMFOrders(orders[0]!.order_id)).toMatchObject({ order_id: orders[0]!.order_id });
  const sips = (await client.getMFSIPS()) as { sip_id: string }[];
  expect(await client.getMFSIPS(sips[0]!.sip_id)).toMatchObject({ sip_id: sips[0]!.sip_id });
  expect((await client.getMFHoldings()).length).toBeGreaterThan(0);
  const funds = (await client.getMFInstruments()) as { tradingsymbol: string }[];
  expect(funds.filter((fund) => fund.tradingsymbol).length).toBeGreaterThan(0);
  await expect(
    client.placeMFOrder({ tradingsymbol: 'INF000S01011', transaction_type: 'BUY', amount: 100 } as never),
  ).rejects.toMatchObject({ error_type: 'GeneralException' });
});

test('validatePostback accepts the checksum of a postback', async () => {
  const { postbackOf } = await import('#simulator/trading/notifier.ts');
  const order_id = await place();
  const message = postbackOf(stateOf(order_id), 'status', APP.api_secret);
  expect(client.validatePostback(message as never, APP.api_secret)).toBe(true);
  expect(client.validatePostback(message as never, 'another')).toBe(false);
});
