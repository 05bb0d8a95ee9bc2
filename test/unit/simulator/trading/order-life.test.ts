import { expect, test } from 'vitest';
import { Form } from '#simulator/rest/form.ts';
import { cancelOrder, modifyOrder } from '#simulator/trading/amend.ts';
import { BUY_OPTION, BUY_SHARE, brokerKit } from '../broker-kit.ts';
import { OPTION, SHARE } from '../hand-market.ts';

const statuses = (order: { history: { status: string }[] }) => order.history.map((row) => row.status);

test('a limit order at the market walks the state graph and is filled at the ask', () => {
  const { place } = brokerKit();
  const order = place({ tag: 'abc1' });
  expect(statuses(order)).toEqual([
    'PUT ORDER REQ RECEIVED',
    'VALIDATION PENDING',
    'OPEN PENDING',
    'OPEN',
    'COMPLETE',
  ]);
  expect(order.history[0]).toMatchObject({
    tag: 'abc1',
    tags: ['abc1'],
    exchange_order_id: null,
    exchange_timestamp: null,
  });
  expect(order.history[4]).toMatchObject({ average_price: 1500, filled_quantity: 10, pending_quantity: 0 });
  expect(order.history[4]!.exchange_order_id).toMatch(/^\d{16}$/);
  expect(order.order_id).toMatch(/^\d{19}$/);
});

test('a limit order away from the market rests, fills in parts as the price comes, and is told as UPDATE', () => {
  const { place, market, told } = brokerKit();
  const order = place({ price: 1490 });
  expect(order.status).toBe('OPEN');
  market.set(SHARE, 1489.5, { sell: [{ price: 1489.5, quantity: 4, orders: 1 }] });
  expect(order).toMatchObject({ status: 'OPEN', filled_quantity: 4 });
  expect(told.at(-1)).toEqual({ status: 'OPEN', event: 'update', filled: 4 });
  market.set(SHARE, 1489, { sell: [{ price: 1489, quantity: 50, orders: 1 }] });
  expect(order).toMatchObject({ status: 'COMPLETE', filled_quantity: 10 });
  expect(order.history.at(-1)!.average_price).toBe(1490);
  expect(market.watcherCount(SHARE.instrument_token)).toBe(0);
});

test('one quote is not filled against twice', () => {
  const { place, market } = brokerKit();
  market.set(SHARE, 1500, { sell: [{ price: 1500, quantity: 15, orders: 1 }] });
  expect(place({}).status).toBe('COMPLETE');
  expect(place({})).toMatchObject({ status: 'OPEN', filled_quantity: 5 });
});

test('a market order takes level after level and its average says so', () => {
  const { place, market } = brokerKit();
  market.set(SHARE, 1500, {
    sell: [
      { price: 1500, quantity: 5, orders: 1 },
      { price: 1501, quantity: 100, orders: 1 },
    ],
  });
  const order = place({ order_type: 'MARKET' });
  expect(order.history.at(-1)).toMatchObject({ status: 'COMPLETE', average_price: 1500.5, price: 0 });
});

test('a protected market order does not chase the price beyond its band', () => {
  const { place, market } = brokerKit();
  market.set(SHARE, 1500, { sell: [{ price: 1520, quantity: 100, orders: 1 }] });
  const order = place({ order_type: 'MARKET', market_protection: 1 });
  expect(order).toMatchObject({ status: 'OPEN', filled_quantity: 0, protectedPrice: 1515 });
});

test('a market order without protection gets an id and ends REJECTED, or is refused where the gateway checks', () => {
  const { place, switches } = brokerKit();
  const order = place({ order_type: 'MARKET', market_protection: 0 });
  expect(order).toMatchObject({
    status: 'REJECTED',
    status_message: expect.stringContaining('market protection'),
  });
  switches.set({ refuse_at_gateway: true });
  expect(() => place({ order_type: 'MARKET', market_protection: 0 })).toThrow(/market_protection/);
  switches.set({ market_protection_required: false });
  expect(place({ order_type: 'MARKET', market_protection: 0 }).status).toBe('COMPLETE');
});

test('an IOC order cancels what it cannot fill at once', () => {
  const { place, market } = brokerKit();
  market.set(SHARE, 1500, { sell: [{ price: 1500, quantity: 3, orders: 1 }] });
  const order = place({ validity: 'IOC' });
  expect(order).toMatchObject({ status: 'CANCELLED', filled_quantity: 3, cancelled_quantity: 7 });
});

test('a stop waits for its trigger, then trades as a limit order', () => {
  const { place, market } = brokerKit();
  const order = place({ order_type: 'SL', trigger_price: 1510, price: 1512 });
  expect(order.status).toBe('TRIGGER PENDING');
  market.set(SHARE, 1509);
  expect(order.status).toBe('TRIGGER PENDING');
  market.set(SHARE, 1510);
  expect(order.status).toBe('COMPLETE');
  expect(statuses(order).slice(-3)).toEqual(['TRIGGER PENDING', 'OPEN', 'COMPLETE']);
});

test('a stop on the wrong side of the market is rejected with the reason in its history', () => {
  const { place } = brokerKit();
  const order = place({ order_type: 'SL-M', trigger_price: 1490 });
  expect(order.history.at(-1)).toMatchObject({
    status: 'REJECTED',
    status_message: expect.stringContaining('trigger_price'),
  });
});

test('a modified order walks MODIFY VALIDATION PENDING, MODIFY PENDING, MODIFIED and trades at its new price', () => {
  const { place, broker, told } = brokerKit();
  const order = place({ price: 1490 });
  modifyOrder(broker, 'SIM001', 'regular', order.order_id, Form.of({ price: '1500' }));
  expect(statuses(order).slice(3)).toEqual([
    'OPEN',
    'MODIFY VALIDATION PENDING',
    'MODIFY PENDING',
    'MODIFIED',
    'OPEN',
    'COMPLETE',
  ]);
  expect(told.map(({ event }) => event)).toContain('update');
  expect(order.modified).toBe(true);
});

test('the 26th modification is refused', () => {
  const { place, broker } = brokerKit();
  const order = place({ price: 1400 });
  for (let i = 0; i < 25; i++) {
    modifyOrder(broker, 'SIM001', 'regular', order.order_id, Form.of({ price: String(1400 + i) }));
  }
  expect(() => modifyOrder(broker, 'SIM001', 'regular', order.order_id, Form.of({ price: '1400' }))).toThrow(
    /25/,
  );
});

test('a modify that exchange or risk system would not take is refused, naming what was wrong, and changes nothing', () => {
  const { place, broker } = brokerKit();
  const order = place({ price: 1490 });
  const modify = (fields: Record<string, string>) => () =>
    modifyOrder(broker, 'SIM001', 'regular', order.order_id, Form.of(fields));
  expect(modify({ price: '1000001' })).toThrow(/circuit.*`price` 1000001/);
  expect(modify({ order_type: 'SL-M', trigger_price: '1600', market_protection: '0' })).toThrow(
    /`market_protection`/,
  );
  expect(modify({ order_type: 'MARKET', market_protection: '0' })).toThrow(/`market_protection`/);
  expect(modify({ order_type: 'SL-M', trigger_price: '1400' })).toThrow(/`trigger_price`/);
  expect(order).toMatchObject({ status: 'OPEN', order_type: 'LIMIT', price: 1490, modifications: 0 });
});

test('a stop that was triggered may still get another price', () => {
  const { place, broker, market } = brokerKit();
  const order = place({ order_type: 'SL', trigger_price: 1510, price: 1512 });
  market.set(SHARE, 1520);
  expect(order).toMatchObject({ status: 'OPEN', triggered: true });
  modifyOrder(broker, 'SIM001', 'regular', order.order_id, Form.of({ price: '1515' }));
  expect(order).toMatchObject({ status: 'OPEN', price: 1515 });
});

test('cancelling walks CANCEL PENDING and keeps what was filled; a second cancel is refused', () => {
  const { place, broker, market } = brokerKit();
  const order = place({ price: 1490 });
  market.set(SHARE, 1490, { sell: [{ price: 1490, quantity: 4, orders: 1 }] });
  cancelOrder(broker, 'SIM001', 'regular', order.order_id);
  expect(statuses(order).slice(-2)).toEqual(['CANCEL PENDING', 'CANCELLED']);
  expect(order).toMatchObject({ filled_quantity: 4, cancelled_quantity: 6 });
  expect(() => cancelOrder(broker, 'SIM001', 'regular', order.order_id)).toThrow(/CANCELLED/);
});

test('an iceberg shows one leg at a time and its progress', () => {
  const { place, broker } = brokerKit();
  place({ quantity: 30, iceberg_legs: 3 }, 'iceberg');
  const legs = broker.visibleOrders('SIM001');
  expect(legs.map((leg) => [leg.quantity, leg.iceberg?.leg, leg.iceberg?.remaining_quantity])).toEqual([
    [10, 1, 20],
    [10, 2, 10],
    [10, 3, 0],
  ]);
});

test('a cover order reads back as CO; filled it has a stop with its id that exits at the market', () => {
  const { place, broker } = brokerKit();
  const first = place({ product: 'MIS', trigger_price: 1480 }, 'co');
  expect(first).toMatchObject({ product: 'CO', status: 'COMPLETE' });
  const leg = broker.visibleOrders('SIM001').find((order) => order.parent_order_id === first.order_id)!;
  expect(leg).toMatchObject({ transaction_type: 'SELL', status: 'TRIGGER PENDING', trigger_price: 1480 });
  cancelOrder(broker, 'SIM001', 'co', leg.order_id);
  expect(leg.status).toBe('COMPLETE');
});

test('a cover order cancelled after a part of it was filled has a stop for that part', () => {
  const { place, broker, market } = brokerKit();
  const entry = place({ product: 'MIS', price: 1490, trigger_price: 1400 }, 'co');
  market.set(SHARE, 1490, { sell: [{ price: 1490, quantity: 4, orders: 1 }] });
  expect(broker.visibleOrders('SIM001')).toHaveLength(1);
  cancelOrder(broker, 'SIM001', 'co', entry.order_id);
  const [, stop] = broker.visibleOrders('SIM001');
  expect(stop).toMatchObject({
    parent_order_id: entry.order_id,
    transaction_type: 'SELL',
    quantity: 4,
    status: 'TRIGGER PENDING',
    trigger_price: 1400,
  });
  expect(stop!.guid).not.toBe(entry.guid);
});

test('what is left of an iceberg does not follow a leg that was cancelled', () => {
  const { place, broker } = brokerKit();
  const leg = place({ quantity: 30, price: 1400, iceberg_legs: 3 }, 'iceberg');
  cancelOrder(broker, 'SIM001', 'iceberg', leg.order_id);
  expect(broker.visibleOrders('SIM001')).toHaveLength(1);
});

test('a quantity over the freeze limit is refused, or sliced where the client asks', () => {
  const { place, broker } = brokerKit(1e9);
  expect(() => place({ ...BUY_OPTION, quantity: 65 * 30 })).toThrow(/freeze/);
  place({ ...BUY_OPTION, quantity: 65 * 30, autoslice: 'true' });
  expect(broker.visibleOrders('SIM001').map((order) => order.quantity)).toEqual([1755, 195]);
});

test.each([
  [{ quantity: 0 }, 'quantity'],
  [{ quantity: 1.5 }, 'quantity'],
  [{ price: 1500.03 }, 'price'],
  [{ price: -1 }, 'price'],
  [{ product: 'NRML' }, 'product'],
  [{ exchange: 'XYZ' }, 'exchange'],
  [{ tradingsymbol: 'NOPE' }, 'tradingsymbol'],
  [{ exchange: 'NSE', tradingsymbol: 'NIFTY 50' }, 'tradingsymbol'],
  [{ tag: 'with space' }, 'tag'],
  [{ order_type: 'BEST' }, 'order_type'],
  [{ disclosed_quantity: 11 }, 'disclosed_quantity'],
  [{ validity: 'TTL' }, 'validity_ttl'],
  [{ ...BUY_OPTION, quantity: 98 }, 'quantity'],
])('%j is refused by the gateway, naming %s', (fields, name) => {
  const { place, broker } = brokerKit();
  expect(() => place(fields)).toThrow(name);
  expect(broker.everyOrder()).toEqual([]);
});

test('prices on a tick pass although binary fractions miss it', () => {
  const { place } = brokerKit();
  expect(place({ price: 1499.15 }).price).toBe(1499.15);
  expect(place({ ...BUY_OPTION, price: 0.15 }).price).toBe(0.15);
});

test('a shortfall of margin rejects the order with both amounts in status_message_raw', () => {
  const { place } = brokerKit(10_000);
  const order = place({});
  expect(order).toMatchObject({ status: 'REJECTED' });
  expect(order.status_message_raw).toContain('Required:15000.00, Available:10000.00');
});

test('money of an open order is reserved, so that a second one cannot use it again', () => {
  const { place } = brokerKit(20_000);
  expect(place({ price: 1490 }).status).toBe('OPEN');
  expect(place({ price: 1490 }).status_message_raw).toContain('Available:5100.00');
});

test('an order in a closed market is rejected, an AMO waits for the opening', () => {
  const { place, market, broker } = brokerKit();
  market.open = false;
  expect(place({}).status_message).toContain('closed');
  const amo = place({}, 'amo');
  expect(amo.status).toBe('AMO REQ RECEIVED');
  market.open = true;
  broker.submit(amo);
  expect(amo.status).toBe('COMPLETE');
});

test('shares that are not held cannot be sold for delivery', () => {
  const { place } = brokerKit();
  expect(place({ transaction_type: 'SELL', quantity: 101 }).status_message).toContain('available is 100');
  expect(place({ transaction_type: 'SELL', quantity: 60 }).status).toBe('COMPLETE');
  expect(place({ transaction_type: 'SELL', quantity: 60 }).status_message).toContain('available is 40');
});

test('orders of one option on both sides meet the book, not each other', () => {
  const { place, market } = brokerKit();
  market.set(OPTION, 100, {
    buy: [{ price: 99.95, quantity: 650, orders: 2 }],
    sell: [{ price: 100.05, quantity: 650, orders: 2 }],
  });
  expect(place({ ...BUY_OPTION, price: 100 }).status).toBe('OPEN');
  expect(place({ ...BUY_OPTION, transaction_type: 'SELL', price: 100 }).status).toBe('OPEN');
  expect(place({ ...BUY_SHARE }).status).toBe('COMPLETE');
});
