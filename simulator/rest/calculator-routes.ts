import { z } from 'zod';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import type { Box } from '../box.ts';
import { chargesOf, NO_CHARGES } from '../trading/charges.ts';
import { findTradable } from '../trading/checks.ts';
import { type Blocked, openingMargin, RATES, segmentFor, sum, totalOf } from '../trading/margins.ts';
import { share, toRupees, toUnits } from '../trading/money.ts';
import { netQuantity } from '../trading/positions.ts';
import type { Call, Route } from './call.ts';
import { inputError } from './kite-error.ts';

/** Clients send numbers as numbers or as text, and fields of other calculators along with them. */
const amount = z.coerce.number().min(0).max(1e8);
const orderShape = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  variety: z.string().optional(),
  product: z.enum(['CNC', 'NRML', 'MIS', 'MTF', 'CO']),
  order_type: z.enum(['MARKET', 'LIMIT', 'SL', 'SL-M']),
  quantity: z.coerce.number().int().min(1).max(100_000_000),
  price: amount.nullish(),
  trigger_price: amount.nullish(),
  average_price: amount.nullish(),
  order_id: z.coerce.string().optional(),
});
type MarginOrder = z.infer<typeof orderShape>;

const MOST_ORDERS = 200;

export function calculatorRoutes(box: Box): Route[] {
  const post = (path: string, handle: (call: Call) => unknown): Route => ({
    method: 'POST',
    path,
    limit: 'other',
    body: 'json',
    handle,
  });
  return [
    post('/margins/orders', ({ json, query }) => {
      const compact = isCompact(query.optionalText('mode'));
      return readOrders(json).map((order) => marginRow(box, order, compact));
    }),
    post('/margins/basket', (call) => basket(box, call)),
    post('/charges/orders', ({ json }) => readOrders(json).map((order) => contractNote(box, order))),
  ];
}

function isCompact(mode: string | undefined): boolean {
  if (mode === undefined || mode === 'None') return false;
  if (mode !== 'compact') throw inputError(`Invalid \`mode\`: ${mode}`);
  return true;
}

function readOrders(json: unknown): MarginOrder[] {
  const result = z.array(orderShape).min(1).max(MOST_ORDERS).safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `\`${path.join('.') || 'body'}\`: ${message}`,
  );
  throw inputError(`Invalid ${problems.slice(0, 5).join('; ')}`);
}

interface Priced {
  readonly instrument: Instrument;
  readonly price: number;
  readonly blocked: Blocked;
}

function priced(box: Box, order: MarginOrder, quantity = order.quantity): Priced {
  const instrument = findTradable(box.market, order.exchange, order.tradingsymbol);
  const last = box.market.quote(instrument.instrument_token)?.last_price ?? 0;
  const price = order.average_price || order.price || order.trigger_price || last;
  const blocked = openingMargin(instrument, order.product, order.transaction_type, quantity, toUnits(price));
  return { instrument, price, blocked };
}

/** An order's margin. Compact replies keep the fields and leave out the charges, whose reduction is not documented. */
function marginRow(box: Box, order: MarginOrder, compact: boolean) {
  const { instrument, price, blocked } = priced(box, order);
  const charges = chargesOf(instrument, order.product, order.transaction_type, order.quantity, price);
  return {
    type: segmentFor(instrument.exchange),
    tradingsymbol: instrument.tradingsymbol,
    exchange: instrument.exchange,
    ...heads(instrument, blocked),
    leverage: leverageOf(instrument, order.product),
    charges: compact ? NO_CHARGES : charges,
    total: toRupees(totalOf(blocked)),
  };
}

function leverageOf(instrument: Instrument, product: string): number {
  if (kindOf(instrument) !== 'equity' || product === 'CNC') return 1;
  return product === 'MTF' ? 2 : 5;
}

/** Cash equity is margined by `var`, derivatives by `span` and `exposure`. */
function heads(instrument: Instrument | undefined, blocked: Blocked) {
  const isEquity = instrument !== undefined && kindOf(instrument) === 'equity';
  return {
    span: toRupees(blocked.span),
    exposure: toRupees(isEquity ? 0 : blocked.exposure),
    option_premium: toRupees(blocked.option_premium),
    additional: 0,
    bo: 0,
    cash: 0,
    var: toRupees(isEquity ? blocked.exposure + blocked.delivery : 0),
    pnl: { realised: 0, unrealised: 0 },
  };
}

interface Leg extends Priced {
  readonly order: MarginOrder;
  /** Of the order, what does not merely close a held position. */
  readonly opening: number;
}

/** `initial`: every order for itself; `final`: hedges within an underlying, and positions where they count. */
function basket(box: Box, { json, query, session }: Call) {
  const compact = isCompact(query.optionalText('mode'));
  const orders = readOrders(json);
  const desk = box.broker.desk(session.user_id);
  const considerPositions = query.boolean('consider_positions', true);
  const legs = orders.map((order): Leg => {
    const whole = priced(box, order);
    const position = desk.positions.get(whole.instrument.instrument_token, order.product);
    const held = considerPositions && position !== undefined ? netQuantity(position) : 0;
    const against = order.transaction_type === 'BUY' ? Math.max(0, -held) : Math.max(0, held);
    const opening = Math.max(0, order.quantity - against);
    return { ...priced(box, order, opening), order, opening };
  });
  return {
    initial: totalRow(orders.map((order) => priced(box, order).blocked)),
    final: totalRow([...legs.map(({ blocked }) => ({ ...blocked, span: 0 })), hedgedSpan(legs)]),
    orders: orders.map((order) => marginRow(box, order, compact)),
  };
}

const NOTHING: Blocked = { span: 0, exposure: 0, option_premium: 0, delivery: 0 };

/**
 * SPAN in two scenarios, the underlying a tenth up and a tenth down, options moving with it where they gain or lose:
 * per underlying the worse of both counts, so spreads cost little and strangles one side.
 */
function hedgedSpan(legs: readonly Leg[]): Blocked {
  const byName = Map.groupBy(
    legs.filter(({ instrument }) => kindOf(instrument) !== 'equity'),
    ({ instrument }) => instrument.name,
  );
  let span = 0;
  for (const group of byName.values())
    span += Math.max(0, scenarioLoss(group, 'CE'), scenarioLoss(group, 'PE'));
  return { ...NOTHING, span };
}

/** Loss when the underlying moves so that this type of option gains: up for calls. Futures gain or lose in both. */
function scenarioLoss(legs: readonly Leg[], gaining: 'CE' | 'PE'): number {
  return legs.reduce((loss, { instrument, order, opening, price }) => {
    const buying = order.transaction_type === 'BUY';
    if (instrument.instrument_type === 'FUT') {
      const gains = buying === (gaining === 'CE');
      return loss + (gains ? -1 : 1) * share(opening * toUnits(price), RATES.span);
    }
    if (instrument.instrument_type !== gaining) return loss;
    return loss + (buying ? -1 : 1) * share(opening * toUnits(instrument.strike), RATES.span);
  }, 0);
}

function totalRow(parts: readonly Blocked[]) {
  const blocked = parts.reduce(sum, NOTHING);
  return {
    type: '',
    tradingsymbol: '',
    exchange: '',
    ...heads(undefined, blocked),
    leverage: 0,
    charges: NO_CHARGES,
    total: toRupees(totalOf(blocked)),
  };
}

/** The charges of one executed order, as a contract note would list them. */
function contractNote(box: Box, order: MarginOrder) {
  const { instrument, price } = priced(box, order);
  const { transaction_type, product, order_type, quantity, variety = 'regular' } = order;
  return {
    transaction_type,
    tradingsymbol: instrument.tradingsymbol,
    exchange: instrument.exchange,
    variety,
    product,
    order_type,
    quantity,
    price,
    charges: chargesOf(instrument, product, transaction_type, quantity, price),
  };
}
