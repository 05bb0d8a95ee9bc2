import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { kindOf } from '#shared/market/instrument.ts';
import { DayTurner } from '#simulator/trading/day.ts';
import type { Desk } from '#simulator/trading/desk.ts';
import { netQuantity } from '#simulator/trading/positions.ts';
import { BUY_FUTURE, BUY_OPTION, brokerKit } from '../broker-kit.ts';
import { FUTURE, INDEX, OPTION, SHARE } from '../hand-market.ts';

const turners: DayTurner[] = [];
afterEach(() => {
  for (const turner of turners.splice(0)) turner.close();
});

function dayKit() {
  const kit = brokerKit();
  const day = new DayTurner(kit.broker);
  turners.push(day);
  /** Moves market time and does what has become due. */
  const at = (time: string) => {
    kit.market.clock.ms = Date.parse(`${time}+05:30`);
    day.advance();
  };
  return { ...kit, at };
}

test('a TTL order is cancelled when its minutes are over', () => {
  const { place, at } = dayKit();
  const order = place({ price: 1400, validity: 'TTL', validity_ttl: 5 });
  at('2026-11-18T10:04:59');
  expect(order.status).toBe('OPEN');
  at('2026-11-18T10:05:01');
  expect(order.status).toBe('CANCELLED');
});

test('an AMO placed while the market is open waits until it has closed and opened again', () => {
  const { place, at, market } = dayKit();
  const order = place({}, 'amo');
  at('2026-11-18T15:00:00');
  expect(order.status).toBe('AMO REQ RECEIVED');
  market.open = false;
  at('2026-11-18T20:00:00');
  at('2026-11-19T07:00:00');
  expect(order.status).toBe('AMO REQ RECEIVED');
  market.open = true;
  at('2026-11-19T09:15:00');
  expect(order.status).toBe('COMPLETE');
});

test('an AMO placed while the market is open is released the next day although nobody looked in between', () => {
  const { place, at } = dayKit();
  const order = place({}, 'amo');
  at('2026-11-19T10:00:00');
  expect(order.status).toBe('COMPLETE');
});

test('a clock that is set back brings no night with it', () => {
  const { place, at, broker } = dayKit();
  place({});
  at('2026-11-17T10:00:00');
  at('2026-11-16T10:00:00');
  expect(broker.visibleOrders('SIM001')).toHaveLength(1);
  at('2026-11-17T10:00:00');
  expect(broker.visibleOrders('SIM001')).toHaveLength(0);
});

test('a share’s order of the pre-open waits for the session, an option’s is rejected, as both are from 09:08', () => {
  const { place, at, market } = dayKit();
  market.clock.market = 'auto';
  market.open = false;
  at('2026-11-19T08:59:59');
  expect(place({}).status).toBe('REJECTED');
  at('2026-11-19T09:00:00');
  const early = place({});
  const atMarket = place({ order_type: 'MARKET' });
  expect([early.status, atMarket.status, place(BUY_OPTION).status]).toEqual(['OPEN', 'OPEN', 'REJECTED']);
  expect(place(BUY_FUTURE).status).toBe('OPEN');
  at('2026-11-19T09:08:00');
  expect(place({}).status).toBe('REJECTED');
  market.open = true;
  at('2026-11-19T09:15:00');
  market.set(SHARE, 1499);
  expect([early.status, atMarket.status]).toEqual(['COMPLETE', 'COMPLETE']);
});

test('what still waits at the close is cancelled, where the market follows its hours', () => {
  const { place, at, market } = dayKit();
  const order = place({ price: 1400 });
  market.open = false;
  at('2026-11-18T15:36:00');
  expect(order.status).toBe('OPEN');
  market.clock.market = 'auto';
  at('2026-11-18T15:36:01');
  expect(order.status).toBe('CANCELLED');
});

test('a partly filled cover order gets its stop when its time is over, and none that outlives the square-off or the day', () => {
  for (const [ends, left] of [
    ['2026-11-18T10:05:01', 1],
    ['2026-11-18T15:20:00', 0],
    ['2026-11-19T06:00:00', 0],
  ] as const) {
    const { place, at, market, desk } = dayKit();
    market.clock.market = 'auto';
    const validity = left === 1 ? { validity: 'TTL', validity_ttl: 5 } : {};
    place({ product: 'MIS', price: 1490, trigger_price: 1400, ...validity }, 'co');
    market.set(SHARE, 1490, { sell: [{ price: 1490, quantity: 4, orders: 1 }] });
    at(ends);
    expect([ends, desk().waiting().length]).toEqual([ends, left]);
  }
});

test('intraday positions are squared off at 15:20, delivery stays', () => {
  const { place, at, market, desk } = dayKit();
  market.clock.market = 'auto';
  place({ product: 'MIS' });
  place({});
  const waiting = place({ product: 'MIS', price: 1400 });
  at('2026-11-18T15:19:59');
  expect(waiting.status).toBe('OPEN');
  at('2026-11-18T15:20:00');
  expect(waiting.status).toBe('CANCELLED');
  const net = desk()
    .positions.list()
    .map((p) => [p.product, netQuantity(p)]);
  expect(net).toEqual([
    ['MIS', 0],
    ['CNC', 10],
  ]);
});

test('the next morning the book is empty and what was bought for delivery is held', () => {
  const { place, at, desk, broker } = dayKit();
  place({});
  place({ transaction_type: 'SELL', quantity: 30 });
  expect(desk().holdings.find((h) => h.instrument === SHARE)).toMatchObject({
    quantity: 80,
    usedQuantity: 20,
  });
  place({ quantity: 50 });
  at('2026-11-19T05:59:59');
  expect(broker.visibleOrders('SIM001')).toHaveLength(3);
  at('2026-11-19T06:00:00');
  expect(broker.visibleOrders('SIM001')).toEqual([]);
  expect(broker.everyOrder()).toHaveLength(3);
  const holding = desk().holdings.find((h) => h.instrument === SHARE)!;
  expect(holding.quantity + holding.t1Quantity).toBe(130);
  expect(desk().positions.list()).toEqual([]);
});

test('derivatives are carried at their average; an expired option pays its intrinsic value', () => {
  const { place, at, desk, market } = dayKit();
  place(BUY_OPTION);
  place(BUY_FUTURE);
  market.set(FUTURE, 26_150);
  at('2026-11-19T07:00:00');
  const [option, future] = desk().positions.list();
  expect(option).toMatchObject({ overnightQuantity: 65, overnightPrice: 1_000_000, dayBuyQuantity: 0 });
  expect(future).toMatchObject({
    overnightQuantity: 65,
    overnightPrice: 260_500_000,
    settledPrice: 261_500_000,
  });
  // Premium paid, and the future's day marked to the market.
  expect(desk().opening.equity / 10_000).toBe(10_000_000 - 6500 + 6500);
  market.set(INDEX, 26_040);
  at('2026-11-24T07:00:00');
  expect(desk().positions.list()).toEqual([]);
  expect(desk().opening.equity / 10_000).toBe(10_000_000 + 65 * 40);
});

/** All that a user owns at last prices: what a night must neither add to nor take from. */
function worth(desk: Desk): number {
  const price = (p: { instrument: typeof SHARE }) => Math.round(desk.lastPrice(p.instrument) * 10_000);
  const held = desk.holdings.reduce(
    (sum, h) => sum + (h.quantity + h.t1Quantity + h.usedQuantity) * price(h),
    0,
  );
  const positions = desk.positions.list().reduce((sum, p) => {
    const counts = kindOf(p.instrument) === 'option' || p.product === 'CNC';
    return counts ? sum + netQuantity(p) * price(p) : sum;
  }, 0);
  return desk.opening.equity - desk.cashUsed('equity') + held + positions;
}

test('a night changes nobody’s worth', () => {
  const trade = fc.record({
    what: fc.constantFrom({}, { product: 'MIS' }, BUY_OPTION, BUY_FUTURE),
    side: fc.constantFrom('BUY', 'SELL'),
    lots: fc.integer({ min: 1, max: 5 }),
    move: fc.integer({ min: -50, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(trade, { minLength: 1, maxLength: 12, size: 'max' }), (trades) => {
      const { place, at, desk, market } = dayKit();
      for (const { what, side, lots, move } of trades) {
        const lot = 'exchange' in what ? 65 : 1;
        place({ ...what, order_type: 'MARKET', transaction_type: side, quantity: lots * lot });
        market.set(SHARE, 1500 + move);
        market.set(OPTION, 100 + move / 10);
        market.set(FUTURE, 26_050 + move);
      }
      const before = worth(desk());
      at('2026-11-19T07:00:00');
      expect(worth(desk())).toBe(before);
      at('2026-11-20T07:00:00');
      expect(worth(desk())).toBe(before);
    }),
    { seed: 20261121, numRuns: 200 },
  );
});

test('a future that expired has no quote any more and is settled at the last price it had', () => {
  const { place, at, desk, market } = dayKit();
  place(BUY_FUTURE);
  market.set(FUTURE, 26_100);
  at('2026-11-20T07:00:00');
  market.set(FUTURE, 26_000);
  at('2026-11-23T15:00:00');
  market.forget(FUTURE);
  at('2026-11-24T07:00:00');
  expect(desk().positions.list()).toEqual([]);
  expect(desk().opening.equity / 10_000).toBe(10_000_000 - 65 * 50);
});
