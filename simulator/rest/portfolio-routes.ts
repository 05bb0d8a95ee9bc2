import { istDay } from '#shared/market/calendar.ts';
import type { Box } from '../box.ts';
import { holdingRow } from '../trading/holdings.ts';
import { openingMargin, segmentFor, totalOf } from '../trading/margins.ts';
import { rupeeText } from '../trading/money.ts';
import { QUANTITY } from '../trading/order-form.ts';
import { netQuantity, openPrice, type Position, positionRow } from '../trading/positions.ts';
import type { Call, Route } from './call.ts';
import type { Form } from './form.ts';
import { inputError, KiteError } from './kite-error.ts';
import { withWriteFaults } from './write-faults.ts';

const PRODUCTS = ['CNC', 'NRML', 'MIS', 'MTF', 'CO'] as const;

export function portfolioRoutes(box: Box): Route[] {
  const get = (path: string, handle: (call: Call) => unknown): Route => ({
    method: 'GET',
    path,
    limit: 'other',
    handle,
  });
  return [
    get('/portfolio/positions', ({ session }) => positions(box, session.user_id)),
    {
      method: 'PUT',
      path: '/portfolio/positions',
      limit: 'other',
      handle: (call) => withWriteFaults(box, call, 'named', () => convert(box, call)),
    },
    get('/portfolio/holdings', ({ session }) => holdings(box, session.user_id)),
    get('/portfolio/holdings/summary', ({ session }) => summary(box, session.user_id)),
    get('/portfolio/holdings/compact', ({ session }) =>
      holdings(box, session.user_id).map(
        ({ exchange, tradingsymbol, instrument_token, t1_quantity, quantity }) => ({
          exchange,
          tradingsymbol,
          instrument_token,
          t1_quantity,
          quantity,
        }),
      ),
    ),
    get('/portfolio/holdings/auctions', ({ session }) => auctions(box, session.user_id)),
    {
      method: 'POST',
      path: '/portfolio/holdings/authorise',
      limit: 'other',
      handle: (call) => authorise(box, call),
    },
  ];
}

function positions(box: Box, userId: string) {
  const all = box.broker.desk(userId).positions.list();
  const row = (p: Position, only: 'net' | 'day') =>
    positionRow(p, box.market.quote(p.instrument.instrument_token), only);
  const traded = all.filter((p) => p.dayBuyQuantity + p.daySellQuantity > 0);
  return { net: all.map((p) => row(p, 'net')), day: traded.map((p) => row(p, 'day')) };
}

export function holdings(box: Box, userId: string) {
  const authorisedDate = `${istDay(box.market.clock.nowMs())} 00:00:00`;
  return box.broker
    .desk(userId)
    .holdings.map((h) => holdingRow(h, box.market.quote(h.instrument.instrument_token), authorisedDate));
}

function summary(box: Box, userId: string) {
  const rows = holdings(box, userId).map((h) => ({ ...h, held: h.quantity + h.t1_quantity }));
  const add = (value: (h: (typeof rows)[number]) => number) => rows.reduce((sum, h) => sum + value(h), 0);
  const invested_amount = add((h) => h.held * h.average_price);
  const current_value = add((h) => h.held * h.last_price);
  const yesterday = add((h) => h.held * h.close_price);
  const percent = (gain: number, base: number) => (base === 0 ? 0 : (gain / base) * 100);
  return {
    total_pnl: current_value - invested_amount,
    total_pnl_percent: percent(current_value - invested_amount, invested_amount),
    today_pnl: current_value - yesterday,
    today_pnl_percent: percent(current_value - yesterday, yesterday),
    invested_amount,
    current_value,
  };
}

/** What was sold short for delivery elsewhere and is up for auction: some of what the user holds. */
function auctions(box: Box, userId: string) {
  return holdings(box, userId)
    .filter((h) => h.quantity > 0)
    .slice(0, 2)
    .map((h, index) => ({ ...h, auction_number: String(20 + index) }));
}

/** Allows sales of these pieces, or of all that is held; the page that a person confirms on is not simulated. */
function authorise(box: Box, { session, form, allForm }: Call) {
  form.oneOf('type', ['equity', 'mf'], 'equity');
  const { holdings: held } = box.broker.desk(session.user_id);
  const isins = allForm('isin');
  const quantities = allForm('quantity').map(Number);
  const unknown = isins.find((isin) => !held.some((h) => h.isin === isin));
  if (unknown !== undefined) throw inputError(`Invalid \`isin\`: ${unknown} is not held`);
  if (isins.length !== quantities.length || quantities.some((quantity) => !(quantity > 0))) {
    throw inputError('Invalid `quantity`: expected one above 0 for each `isin`');
  }
  for (const h of held) {
    const wanted = isins.length === 0 ? h.quantity : (quantities[isins.indexOf(h.isin)] ?? 0);
    h.authorisedQuantity = Math.min(h.quantity, h.authorisedQuantity + wanted);
  }
  return { request_id: box.sessions.newId() };
}

/** Changes a position's product. @throws KiteError naming what is not held or not offered. */
function convert(box: Box, { session, form }: Call): true {
  const desk = box.broker.desk(session.user_id);
  const { position, newProduct, quantity, overnight } = readConversion(box, session.user_id, form);
  const side = netQuantity(position) > 0 ? 'BUY' : 'SELL';
  const price = Math.round(openPrice(position));
  const margin = (product: string) =>
    totalOf(openingMargin(position.instrument, product, side, quantity, price));
  const required = margin(newProduct) - margin(position.product);
  const available = desk.available(segmentFor(position.instrument.exchange));
  if (box.switches.values.margin_checks && required > available) {
    throw new KiteError(
      400,
      'MarginException',
      `Insufficient funds. Required margin is ${rupeeText(required)} but available margin is ${rupeeText(available)}.`,
    );
  }
  desk.positions.convert(position, newProduct, quantity, overnight);
  return true;
}

function readConversion(box: Box, userId: string, form: Form) {
  const instrument = box.market.bySymbol(form.text('exchange'), form.text('tradingsymbol'));
  if (instrument === undefined) throw inputError(`Invalid \`tradingsymbol\`: ${form.text('tradingsymbol')}`);
  const side = form.oneOf('transaction_type', ['BUY', 'SELL']);
  const overnight = form.oneOf('position_type', ['day', 'overnight']) === 'overnight';
  const quantity = form.integer('quantity', QUANTITY);
  const oldProduct = form.oneOf('old_product', PRODUCTS);
  const newProduct = form.oneOf('new_product', PRODUCTS);
  const allowed = instrument.instrument_type === 'EQ' ? ['CNC', 'MIS', 'MTF'] : ['NRML', 'MIS'];
  if (newProduct === oldProduct || !allowed.includes(newProduct)) {
    throw inputError(`Invalid \`new_product\`: ${newProduct} is not offered for this position`);
  }
  const position = box.broker.desk(userId).positions.get(instrument.instrument_token, oldProduct);
  const held = position === undefined ? 0 : convertible(position, overnight);
  if (position === undefined || held === 0)
    throw inputError(`No ${oldProduct} position in \`tradingsymbol\` ${instrument.tradingsymbol}`);
  if (held > 0 !== (side === 'BUY'))
    throw inputError('Invalid `transaction_type`: the position is on the other side');
  if (quantity > Math.abs(held))
    throw inputError(`Invalid \`quantity\`: only ${Math.abs(held)} can be converted`);
  return { position, newProduct, quantity, overnight };
}

/** Of what is open, the part from today or the part that was carried; negative when short. */
function convertible(p: Position, overnight: boolean): number {
  const net = netQuantity(p);
  const part = overnight ? p.overnightQuantity : net > 0 ? p.dayBuyQuantity : -p.daySellQuantity;
  if (net === 0 || part === 0 || Math.sign(part) !== Math.sign(net)) return 0;
  return Math.sign(net) * Math.min(Math.abs(net), Math.abs(part));
}
