import { SwitchBoard } from '#simulator/control/switches.ts';
import { Form } from '#simulator/rest/form.ts';
import { Broker } from '#simulator/trading/broker.ts';
import type { OrderEvent } from '#simulator/trading/matching.ts';
import { type Order, orderRow, type Variety } from '#simulator/trading/order.ts';
import { readOrderRequest } from '#simulator/trading/order-form.ts';
import { FUTURE, HandMarket, INDEX, OPTION, SHARE } from './hand-market.ts';

export const SOURCE = { user_id: 'SIM001', api_key: 'simkey' };

/** A broker over a market set by hand, with orders arriving at the exchange at once. */
export function brokerKit(cash = 10_000_000) {
  const market = new HandMarket();
  market.set(INDEX, 26_000);
  market.set(SHARE, 1500);
  market.set(OPTION, 100);
  market.set(FUTURE, 26_050);
  const switches = new SwitchBoard();
  switches.set({ exchange_latency_ms: 0 });
  const told: { status: string; event: OrderEvent; filled: number }[] = [];
  const broker = new Broker({
    market,
    switches,
    cashOf: () => ({ equity: cash, commodity: cash }),
    notify: (order, event) => told.push({ status: order.status, event, filled: order.filled_quantity }),
  });
  const place = (fields: Record<string, string | number>, variety: Variety = 'regular'): Order => {
    const text = Object.fromEntries(
      Object.entries({ ...BUY_SHARE, ...fields }).map(([k, v]) => [k, String(v)]),
    );
    const [placed] = broker.place(SOURCE, readOrderRequest(variety, Form.of(text)));
    if (placed === undefined || !('order_id' in placed)) throw new Error('no order');
    return broker.everyOrder().find((order) => order.order_id === placed.order_id)!;
  };
  return { market, switches, broker, told, place, row: orderRow, desk: () => broker.desk(SOURCE.user_id) };
}

export const BUY_SHARE = {
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 10,
  product: 'CNC',
  order_type: 'LIMIT',
  price: 1500,
  market_protection: -1,
};
export const BUY_OPTION = {
  ...BUY_SHARE,
  exchange: 'NFO',
  tradingsymbol: OPTION.tradingsymbol,
  quantity: 65,
  product: 'NRML',
  price: 100,
};
export const BUY_FUTURE = { ...BUY_OPTION, tradingsymbol: FUTURE.tradingsymbol, price: 26_050 };
