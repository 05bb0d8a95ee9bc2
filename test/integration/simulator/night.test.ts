import { expect, test } from 'vitest';
import { apiOf, control, LIMIT_ORDER, nearestCall, startTestSimulator, USER } from './kit.ts';

const MARKET_ORDER = { order_type: 'MARKET', market_protection: -1 };
const SOON = { timeout: 10_000 };

test('an expiry day, its night, a holiday and the next morning', async () => {
  const simulator = await startTestSimulator({
    nowMs: Date.parse('2026-11-23T14:00:00+05:30'),
    market: 'auto',
  });
  try {
    const step = (now: string) => control(simulator, 'POST', 'clock', { now: `${now}+05:30` });
    const { broker, market, gtts } = simulator.box;
    let api = await apiOf(simulator);
    const place = async (variety: string, fields: object) => {
      const { body } = await api('POST', `/orders/${variety}`, { ...LIMIT_ORDER, ...fields });
      const { order_id } = body.data as { order_id: string };
      return broker.everyOrder().find((order) => order.order_id === order_id)!;
    };

    const option = nearestCall(simulator);
    expect(option.expiry).toBe('2026-11-23');
    const bought = {
      exchange: 'NFO',
      tradingsymbol: option.tradingsymbol,
      quantity: 65,
      product: 'NRML',
      ...MARKET_ORDER,
    };
    expect((await place('regular', bought)).status).toBe('COMPLETE');
    expect((await place('regular', { quantity: 5, ...MARKET_ORDER })).status).toBe('COMPLETE');
    const last = market.quote(market.bySymbol('NSE', 'INFY')!.instrument_token)!.last_price;
    const waiting = await place('regular', { price: Math.round(last * 0.95) });
    const gtt = await api('POST', '/gtt/triggers', {
      type: 'single',
      condition: JSON.stringify({
        exchange: 'NFO',
        tradingsymbol: option.tradingsymbol,
        trigger_values: [9999],
        last_price: 50,
      }),
      orders: JSON.stringify([
        {
          exchange: 'NFO',
          tradingsymbol: option.tradingsymbol,
          transaction_type: 'SELL',
          quantity: 65,
          order_type: 'LIMIT',
          product: 'NRML',
          price: 9999,
        },
      ]),
    });
    const { trigger_id } = gtt.body.data as { trigger_id: number };
    const held = broker.desk(USER).holdings.find((h) => h.instrument.tradingsymbol === 'INFY')!.quantity;
    expect(waiting.status).toBe('OPEN');

    await step('2026-11-23T15:41:00');
    expect(waiting.status).toBe('CANCELLED');
    expect(await place('regular', {})).toMatchObject({ status: 'REJECTED' });
    const cash = broker.desk(USER).available('equity');
    const amo = await place('amo', { quantity: 2, ...MARKET_ORDER });
    expect(amo.status).toBe('AMO REQ RECEIVED');
    const spot = market.quote(256265)!.last_price;

    await step('2026-11-24T06:00:00');
    expect((await api('GET', '/user/profile')).status).toBe(403);
    api = await apiOf(simulator);
    expect((await api('GET', '/orders')).body.data).toMatchObject([{ order_id: amo.order_id }]);
    const { net } = (await api('GET', '/portfolio/positions')).body.data as { net: object[] };
    expect(net).toEqual([]);
    const settled = 65 * Math.max(0, spot - option.strike) * 10_000;
    expect(broker.desk(USER).opening.equity).toBeCloseTo(cash + settled, 2);

    // 24 Nov 2026 is a holiday.
    await step('2026-11-24T10:00:00');
    expect(amo.status).toBe('AMO REQ RECEIVED');
    await step('2026-11-25T09:16:00');
    await expect.poll(() => amo.status, SOON).toBe('COMPLETE');
    await expect.poll(() => market.bySymbol('NFO', option.tradingsymbol), SOON).toBeUndefined();
    expect(gtts.get(USER, trigger_id).status).toBe('expired');
    const infy = broker.desk(USER).holdings.find((h) => h.instrument.tradingsymbol === 'INFY')!;
    expect(infy.quantity + infy.t1Quantity).toBe(held + 5);
  } finally {
    await simulator.close();
  }
});
