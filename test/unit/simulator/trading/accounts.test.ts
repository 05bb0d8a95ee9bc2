import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Form } from '#simulator/rest/form.ts';
import { KiteError } from '#simulator/rest/kite-error.ts';
import { cancelOrder, modifyOrder } from '#simulator/trading/amend.ts';
import { totalOf } from '#simulator/trading/margins.ts';
import { tradeRow } from '#simulator/trading/order.ts';
import { netQuantity, positionRow } from '#simulator/trading/positions.ts';
import { BUY_FUTURE, BUY_OPTION, BUY_SHARE, brokerKit } from '../broker-kit.ts';
import { FUTURE, OPTION, SHARE } from '../hand-market.ts';

const KINDS = {
  delivery: { of: SHARE, fields: BUY_SHARE, lot: 1, tick: 5 },
  intraday: { of: SHARE, fields: { ...BUY_SHARE, product: 'MIS' }, lot: 1, tick: 5 },
  option: { of: OPTION, fields: BUY_OPTION, lot: 65, tick: 5 },
  future: { of: FUTURE, fields: BUY_FUTURE, lot: 65, tick: 10 },
} as const;

const kind = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]));
const side = fc.constantFrom('BUY', 'SELL');

/** What may happen; steps are ticks around the price the kit starts from. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('place' as const),
    kind,
    side,
    lots: fc.integer({ min: 1, max: 9 }),
    off: fc.integer({ min: -40, max: 40 }),
    market: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('quote' as const),
    kind,
    off: fc.integer({ min: -60, max: 60 }),
    depth: fc.integer({ min: 1, max: 400 }),
  }),
  fc.record({ do: fc.constant('cancel' as const), pick: fc.nat(30) }),
  fc.record({ do: fc.constant('modify' as const), pick: fc.nat(30), lots: fc.integer({ min: 1, max: 9 }) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const START = { delivery: 150_000, intraday: 150_000, option: 10_000, future: 2_605_000 };

function play(steps: readonly Step[]) {
  const kit = brokerKit();
  for (const s of steps) {
    try {
      act(kit, s);
    } catch (error) {
      // Refusals are part of the game; anything else is a defect.
      if (!(error instanceof KiteError)) throw error;
    }
  }
  return kit;
}

function act(kit: ReturnType<typeof brokerKit>, s: Step): void {
  switch (s.do) {
    case 'place': {
      const { fields, lot, tick } = KINDS[s.kind];
      const price = (START[s.kind] + s.off * tick) / 100;
      const order_type = s.market ? 'MARKET' : 'LIMIT';
      kit.place({ ...fields, order_type, price, quantity: s.lots * lot, transaction_type: s.side });
      return;
    }
    case 'quote': {
      const { of, tick } = KINDS[s.kind];
      const bid = (START[s.kind] + s.off * tick) / 100;
      kit.market.set(of, bid, {
        buy: [{ price: bid, quantity: s.depth, orders: 1 }],
        sell: [{ price: bid + tick / 100, quantity: s.depth, orders: 1 }],
      });
      return;
    }
    case 'cancel':
    case 'modify': {
      const orders = kit.broker.everyOrder();
      const order = orders[s.pick % Math.max(1, orders.length)];
      if (order === undefined) return;
      if (s.do === 'cancel') cancelOrder(kit.broker, 'SIM001', order.variety, order.order_id);
      else {
        const quantity = String(s.lots * order.instrument.lot_size);
        modifyOrder(kit.broker, 'SIM001', order.variety, order.order_id, Form.of({ quantity }));
      }
    }
  }
}

const paise = (rupees: number) => Math.round(rupees * 100);
const scenario = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
const SEEDED = { seed: 20261121, numRuns: 300 };

test('positions equal the sum of the trades, to the paisa', () => {
  fc.assert(
    fc.property(scenario, (steps) => {
      const { desk, market } = play(steps);
      const trades = desk().trades.map(tradeRow);
      for (const position of desk().positions.list()) {
        const { instrument, product } = position;
        const own = trades.filter(
          (t) => t.instrument_token === instrument.instrument_token && t.product === product,
        );
        const total = (type: string, value: (t: (typeof own)[number]) => number) =>
          own.filter((t) => t.transaction_type === type).reduce((sum, t) => sum + value(t), 0);
        const row = positionRow(position, market.quote(instrument.instrument_token), 'net');
        expect(row.quantity).toBe(total('BUY', (t) => t.quantity) - total('SELL', (t) => t.quantity));
        expect(paise(row.buy_value)).toBe(total('BUY', (t) => t.quantity * paise(t.average_price)));
        expect(paise(row.sell_value)).toBe(total('SELL', (t) => t.quantity * paise(t.average_price)));
        expect(paise(row.pnl)).toBe(
          paise(row.sell_value) - paise(row.buy_value) + row.quantity * paise(row.last_price),
        );
        expect(paise(row.realised) + paise(row.unrealised)).toBeCloseTo(paise(row.pnl), -0.5);
      }
      const booked = desk().positions.list().length;
      expect(booked).toBe(new Set(trades.map((t) => `${t.instrument_token}:${t.product}`)).size);
    }),
    SEEDED,
  );
});

test('an order is filled by exactly its trades, and never beyond its quantity', () => {
  fc.assert(
    fc.property(scenario, (steps) => {
      const { broker, desk } = play(steps);
      for (const order of broker.everyOrder()) {
        const own = desk().trades.filter((trade) => trade.order === order);
        expect(own.reduce((sum, trade) => sum + trade.quantity, 0)).toBe(order.filled_quantity);
        expect(order.filled_quantity).toBeLessThanOrEqual(order.quantity);
        expect(order.status === 'COMPLETE').toBe(order.filled_quantity === order.quantity);
      }
    }),
    SEEDED,
  );
});

test('cash and what is used of it add up: with no order waiting, only trades and their margins explain it', () => {
  fc.assert(
    fc.property(scenario, (steps) => {
      const { broker, desk, market } = play(steps);
      for (const order of desk().waiting()) cancelOrder(broker, 'SIM001', order.variety, order.order_id);
      const funds = desk().funds('equity');
      let marked = 0;
      let premiumsAndDeliveries = 0;
      for (const { order, quantity, price } of desk().trades) {
        const signed = order.transaction_type === 'BUY' ? quantity * price : -quantity * price;
        if (order.instrument === OPTION || order.product === 'CNC') premiumsAndDeliveries += signed;
        else {
          const last = Math.round(market.quote(order.instrument.instrument_token)!.last_price * 10_000);
          marked += (order.transaction_type === 'BUY' ? quantity : -quantity) * last - signed;
        }
      }
      const cashMoved = -premiumsAndDeliveries + marked;
      const held = funds.blocked.span + funds.blocked.exposure;
      expect(desk().available('equity')).toBe(desk().opening.equity + cashMoved - held);
      expect(desk().available('equity') + funds.debits).toBe(desk().opening.equity);
    }),
    SEEDED,
  );
});

test('an account that is flat uses nothing but what it lost', () => {
  const { place, market, desk } = brokerKit();
  place(BUY_FUTURE);
  place(BUY_OPTION);
  market.set(FUTURE, 26_000);
  market.set(OPTION, 110);
  place({ ...BUY_FUTURE, transaction_type: 'SELL', price: 26_000 });
  place({ ...BUY_OPTION, transaction_type: 'SELL', price: 110 });
  expect(desk().positions.list().map(netQuantity)).toEqual([0, 0]);
  expect(desk().funds('equity').debits / 10_000).toBe(65 * 50 - 65 * 10);
  expect(desk().funds('equity').blocked.span).toBe(0);
});

test('conversion moves a position to the other product and leaves money as it was', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(1000),
      (bought, moved, cents) => {
        const { place, market, desk } = brokerKit();
        market.set(SHARE, 1500 + (cents * 5) / 100);
        place({ product: 'MIS', quantity: bought, order_type: 'MARKET' });
        const from = desk().positions.get(SHARE.instrument_token, 'MIS')!;
        const value = from.dayBuyValue;
        const quantity = Math.min(bought, moved);
        desk().positions.convert(from, 'CNC', quantity, false);
        const to = desk().positions.get(SHARE.instrument_token, 'CNC')!;
        expect(netQuantity(from)).toBe(bought - quantity);
        expect(netQuantity(to)).toBe(quantity);
        expect(from.dayBuyValue + to.dayBuyValue).toBe(value);
        expect(totalOf(desk().funds('equity').blocked)).toBeGreaterThan(0);
      },
    ),
    SEEDED,
  );
});
