import type { Box } from '../box.ts';
import { cancelOrder, modifyOrder } from '../trading/amend.ts';
import type { Placed } from '../trading/broker.ts';
import { tradeRow, VARIETIES } from '../trading/order.ts';
import { readOrderRequest } from '../trading/order-form.ts';
import type { Call, Route } from './call.ts';
import { KiteError, notFound } from './kite-error.ts';
import { withWriteFaults } from './write-faults.ts';

export function orderRoutes(box: Box): Route[] {
  return [
    { method: 'POST', path: '/orders/:variety', handle: (call) => place(box, call) },
    {
      method: 'PUT',
      path: '/orders/:variety/:order_id',
      limit: 'other',
      handle: (call) => modify(box, call),
    },
    {
      method: 'DELETE',
      path: '/orders/:variety/:order_id',
      limit: 'other',
      handle: (call) => cancel(box, call),
    },
    { method: 'GET', path: '/orders', limit: 'other', handle: ({ session }) => list(box, session.user_id) },
    { method: 'GET', path: '/orders/:order_id', limit: 'other', handle: (call) => history(box, call) },
    { method: 'GET', path: '/orders/:order_id/trades', limit: 'other', handle: (call) => trades(box, call) },
    {
      method: 'GET',
      path: '/trades',
      limit: 'other',
      handle: ({ session }) => box.broker.desk(session.user_id).trades.map(tradeRow),
    },
  ];
}

/** The newest row of each history: a cancel or a modify under way shows as such. */
const list = (box: Box, userId: string) =>
  box.broker.visibleOrders(userId).map((order) => order.history.at(-1));

function history(box: Box, { session, form }: Call) {
  return orderOf(box, session.user_id, form.text('order_id')).history;
}

function trades(box: Box, { session, form }: Call) {
  const order = orderOf(box, session.user_id, form.text('order_id'));
  return box.broker
    .desk(session.user_id)
    .trades.filter((trade) => trade.order === order)
    .map(tradeRow);
}

function orderOf(box: Box, userId: string, order_id: string) {
  const order = box.broker.visibleOrder(userId, order_id);
  if (order === undefined) throw notFound(`Couldn't find that \`order_id\` ${order_id}.`);
  return order;
}

async function place(box: Box, call: Call): Promise<unknown> {
  return withOrderFaults(box, call, (lateMs) => {
    const variety = call.form.oneOf('variety', VARIETIES);
    const { user_id, api_key } = call.session;
    // What turns out invalid counts toward the day's limit as well (kite.trade forum 12851).
    if (box.switches.values.order_limits) box.broker.limits.take(user_id, orderCount(call));
    const request = readOrderRequest(variety, call.form);
    const placed = box.broker.place({ user_id, api_key }, request, { lateMs });
    return request.autoslice ? slicedReply(box, placed) : placed[0];
  });
}

/** An iceberg is one request of the second and as many orders of the day as it has legs. */
function orderCount(call: Call): number {
  const legs = Number(call.form.optionalText('iceberg_legs') ?? 1);
  return call.form.text('variety') === 'iceberg' && legs >= 2 && legs <= 50 ? legs : 1;
}

function slicedReply(box: Box, placed: Placed[]): unknown {
  if (box.switches.values.autoslice_reply === 'flat') return placed;
  const first = placed.find((child) => 'order_id' in child);
  return { order_id: first === undefined ? '' : first.order_id, children: placed };
}

const modify = (box: Box, call: Call) =>
  withOrderFaults(box, call, () => {
    const { form, session } = call;
    return {
      order_id: modifyOrder(box.broker, session.user_id, form.text('variety'), form.text('order_id'), form),
    };
  });

const cancel = (box: Box, call: Call) =>
  withOrderFaults(box, call, () => {
    const { form, session } = call;
    return {
      order_id: cancelOrder(box.broker, session.user_id, form.text('variety'), form.text('order_id')),
    };
  });

/** Address first, as the broker checks it. */
function withOrderFaults(box: Box, call: Call, write: (lateMs: number) => unknown): Promise<unknown> {
  checkAddress(box, call);
  return withWriteFaults(box, call, 'any', write);
}

function checkAddress(box: Box, { session, ip }: Call): void {
  const registered = box.accounts.byApiKey(session.api_key)?.static_ips ?? [];
  if (registered.length === 0 && !box.switches.values.static_ip_required) return;
  if (registered.includes(ip)) return;
  throw new KiteError(
    403,
    'PermissionException',
    `No IPs configured for this app, or request from unregistered IP ${ip}. Add it on the developer console.`,
  );
}
