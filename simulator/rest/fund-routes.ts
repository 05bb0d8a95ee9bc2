import { addDays, istDay, istMs, previousTradingDay } from '#shared/market/calendar.ts';
import type { Box } from '../box.ts';
import type { Call, Route } from './call.ts';
import { FUNDS, type Fund, fundsCsv } from './fund-data.ts';
import { inputError, notFound } from './kite-error.ts';

/** Reads only: the broker does not offer placing (kite.trade/docs/connect/v3/mutual-funds lists reads alone). */
export function fundRoutes(box: Box): Route[] {
  const today = () => istDay(box.market.clock.nowMs());
  const get = (path: string, handle: (call: Call) => unknown): Route => ({
    method: 'GET',
    path,
    limit: 'other',
    handle,
  });
  return [
    get('/mf/orders', ({ query }) =>
      ordersBetween(orders(today()), query.optionalText('from'), query.optionalText('to')),
    ),
    get('/mf/orders/:order_id', ({ form }) => one(orders(today()), 'order_id', form.text('order_id'))),
    get('/mf/sips', () => sips(today())),
    get('/mf/sips/:sip_id', ({ form }) => one(sips(today()), 'sip_id', form.text('sip_id'))),
    get('/mf/holdings', () => FUNDS.map((fund, index) => holding(fund, index, today()))),
    get('/mf/holdings/:isin', ({ form }) => allotmentsOf(form.text('isin'), today())),
    get('/mf/allotments', () => FUNDS.map((fund) => fund.tradingsymbol)),
    get('/mf/instruments', ({ context }) =>
      context.body(fundsCsv(previousTradingDay(today())), 200, { 'content-type': 'text/csv' }),
    ),
  ];
}

function one<Row extends object>(rows: readonly Row[], field: keyof Row & string, id: string): Row {
  const row = rows.find((candidate) => candidate[field] === id);
  if (row === undefined) throw notFound(`Couldn't find that \`${field}\` ${id}.`);
  return row;
}

const folio = (index: number) => `91000${index + 1}00${index + 1}`;
const quantityOf = (index: number) => 100 + index * 12.345;
const costOf = (fund: Fund) => Math.round(fund.last_price * 0.92 * 10_000) / 10_000;
const orderId = (index: number) => `0000000${index + 1}-51de-4b1a-9f21-00000000000${index + 1}`;

function holding(fund: Fund, index: number, day: string) {
  const quantity = quantityOf(index);
  return {
    folio: folio(index),
    fund: `${fund.name} - Direct Plan`,
    tradingsymbol: fund.tradingsymbol,
    average_price: costOf(fund),
    last_price: fund.last_price,
    last_price_date: previousTradingDay(day),
    pledged_quantity: 0,
    pnl: Math.round(quantity * (fund.last_price - costOf(fund)) * 100) / 100,
    quantity,
  };
}

function orders(day: string) {
  return FUNDS.map((fund, index) => {
    const placed = addDays(day, -2 - index);
    const quantity = quantityOf(index);
    return {
      order_id: orderId(index),
      exchange_order_id: `25420000${index + 1}`,
      tradingsymbol: fund.tradingsymbol,
      status: 'COMPLETE',
      status_message: '',
      folio: folio(index),
      fund: `${fund.name} - Direct Plan`,
      order_timestamp: `${placed} 10:15:00`,
      exchange_timestamp: `${placed} 00:00:00`,
      settlement_id: `22222${index}`,
      transaction_type: 'BUY',
      variety: 'regular',
      purchase_type: 'FRESH',
      quantity,
      amount: Math.round(quantity * costOf(fund) * 100) / 100,
      last_price: fund.last_price,
      last_price_date: previousTradingDay(day),
      average_price: costOf(fund),
      placed_by: 'simulator',
      tag: null,
    };
  });
}

function ordersBetween(rows: ReturnType<typeof orders>, from: string | undefined, to: string | undefined) {
  for (const [name, day] of [
    ['from', from],
    ['to', to],
  ] as const) {
    const usable =
      day === undefined || (/^\d{4}-\d{2}-\d{2}$/.test(day) && Number.isFinite(istMs(day, '00:00')));
    if (!usable) throw inputError(`Invalid \`${name}\`: expected yyyy-mm-dd`);
  }
  return rows.filter(({ order_timestamp }) => {
    const day = order_timestamp.slice(0, 10);
    return (from === undefined || day >= from) && (to === undefined || day <= to);
  });
}

function sips(day: string) {
  return FUNDS.slice(0, 2).map((fund, index) => ({
    sip_id: `89235200000000${index + 1}`,
    tradingsymbol: fund.tradingsymbol,
    fund: `${fund.name} - Direct Plan`,
    fund_source: 'pool',
    dividend_type: 'growth',
    transaction_type: 'BUY',
    status: 'ACTIVE',
    sip_type: 'sip',
    sip_reg_num: null,
    created: `${addDays(day, -90)} 10:00:00`,
    frequency: 'monthly',
    instalment_amount: 5000 * (index + 1),
    instalments: 120,
    last_instalment: `${addDays(day, -20)} 08:00:00`,
    pending_instalments: 117,
    instalment_day: 1,
    completed_instalments: 3,
    next_instalment: addDays(day, 10),
    trigger_price: 0,
    step_up: { '15-02': 10 },
    tag: 'coin',
  }));
}

function allotmentsOf(isin: string, day: string) {
  const index = FUNDS.findIndex((fund) => fund.tradingsymbol === isin);
  const fund = FUNDS[index];
  if (fund === undefined) throw notFound(`Couldn't find that \`isin\` ${isin}.`);
  const order = orders(day)[index]!;
  return [
    {
      fund: order.fund,
      tradingsymbol: fund.tradingsymbol,
      average_price: order.average_price,
      variety: order.variety,
      exchange_timestamp: order.exchange_timestamp,
      amount: order.amount,
      folio: order.folio,
      quantity: order.quantity,
    },
  ];
}
