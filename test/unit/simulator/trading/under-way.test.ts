import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Form } from '#simulator/rest/form.ts';
import { KiteError } from '#simulator/rest/kite-error.ts';
import { cancelOrder, modifyOrder } from '#simulator/trading/amend.ts';
import { isFinal } from '#simulator/trading/order.ts';
import { BUY_OPTION, brokerKit } from '../broker-kit.ts';
import { OPTION, SHARE } from '../hand-market.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const REQUESTS = ['CANCEL PENDING', 'MODIFY VALIDATION PENDING'];
/** While a request is under way the order goes on, and further requests may follow. */
const GOES_ON = ['OPEN', 'TRIGGER PENDING', 'COMPLETE', 'CANCELLED', 'MODIFIED', ...REQUESTS];
/** The broker's state graph: what may stand after what in a history. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  'PUT ORDER REQ RECEIVED': ['VALIDATION PENDING'],
  'VALIDATION PENDING': ['OPEN PENDING', 'REJECTED'],
  'OPEN PENDING': ['OPEN', 'TRIGGER PENDING', ...REQUESTS],
  OPEN: ['OPEN', 'COMPLETE', 'CANCELLED', 'MODIFIED', ...REQUESTS],
  'TRIGGER PENDING': ['OPEN', 'CANCELLED', 'MODIFIED', ...REQUESTS],
  'MODIFY VALIDATION PENDING': ['MODIFY PENDING'],
  'MODIFY PENDING': GOES_ON,
  MODIFIED: ['OPEN', 'TRIGGER PENDING'],
  'CANCEL PENDING': GOES_ON,
};

const share = fc.record({
  price: fc.integer({ min: 1480, max: 1520 }),
  side: fc.constantFrom('BUY', 'SELL'),
  validity: fc.constantFrom('DAY', 'IOC'),
  order_type: fc.constantFrom('LIMIT', 'MARKET', 'SL', 'SL-M'),
});
const step = fc.oneof(
  fc.record({ do: fc.constant('place' as const), share }),
  fc.record({ do: fc.constant('option' as const), lots: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('cancel' as const), pick: fc.nat(20) }),
  fc.record({
    do: fc.constant('modify' as const),
    pick: fc.nat(20),
    price: fc.integer({ min: 1480, max: 1520 }),
  }),
  fc.record({
    do: fc.constant('quote' as const),
    price: fc.integer({ min: 1480, max: 1520 }),
    depth: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Kit = ReturnType<typeof brokerKit>;

function act(kit: Kit, s: Step): void {
  const orders = kit.broker.everyOrder();
  switch (s.do) {
    case 'place': {
      const { price, side, validity, order_type } = s.share;
      const trigger_price = side === 'BUY' ? price - 2 : price + 2;
      kit.place({ product: 'MIS', price, transaction_type: side, validity, order_type, trigger_price });
      return;
    }
    case 'option':
      kit.place({ ...BUY_OPTION, quantity: s.lots * 65 });
      return;
    case 'quote': {
      const level = (price: number) => [{ price, quantity: s.depth, orders: 1 }];
      kit.market.set(SHARE, s.price, { buy: level(s.price), sell: level(s.price + 0.05) });
      return;
    }
    case 'wait':
      vi.advanceTimersByTime(s.ms);
      return;
    case 'cancel':
    case 'modify': {
      const order = orders[s.pick % Math.max(1, orders.length)];
      if (order === undefined) return;
      if (s.do === 'cancel') cancelOrder(kit.broker, 'SIM001', order.variety, order.order_id);
      else
        modifyOrder(kit.broker, 'SIM001', order.variety, order.order_id, Form.of({ price: String(s.price) }));
    }
  }
}

function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof KiteError)) throw error;
  }
}

test('whatever overtakes what on the way to the exchange, histories follow the graph and everything can be ended', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
      const kit = brokerKit();
      kit.switches.set({ exchange_latency_ms: 20 });
      for (const s of steps) attempt(() => act(kit, s));
      vi.runAllTimers();
      for (const order of kit.desk().waiting()) {
        attempt(() => cancelOrder(kit.broker, 'SIM001', order.variety, order.order_id));
      }
      vi.runAllTimers();
      for (const order of kit.broker.everyOrder()) {
        const statuses = order.history.map(({ status }) => status);
        for (const [index, status] of statuses.slice(1).entries()) {
          const before = statuses[index]!;
          expect(NEXT[before], `${statuses.join(' > ')}`).toContain(status);
        }
        expect(isFinal(order), statuses.join(' > ')).toBe(true);
        expect(statuses.at(-1)).toBe(order.status);
        expect(statuses.filter((status) => isFinal({ status: status as typeof order.status }))).toHaveLength(
          1,
        );
        const filled = kit.desk().trades.filter((trade) => trade.order === order);
        expect(filled.reduce((sum, trade) => sum + trade.quantity, 0)).toBe(order.filled_quantity);
      }
      expect(kit.market.watcherCount(SHARE.instrument_token)).toBe(0);
      expect(kit.market.watcherCount(OPTION.instrument_token)).toBe(0);
      expect(kit.desk().waiting()).toEqual([]);
    }),
    { seed: 20261121, numRuns: 400 },
  );
});
