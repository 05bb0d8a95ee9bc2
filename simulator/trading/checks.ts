import { istDay, tradingHours } from '#shared/market/calendar.ts';
import { type Instrument, kindOf } from '#shared/market/instrument.ts';
import { freezeLimit } from '#shared/orders/freeze-limits.ts';
import type { Market } from '../contracts.ts';
import type { Switches } from '../control/switches.ts';
import { inputError, KiteError } from '../rest/kite-error.ts';
import type { Desk } from './desk.ts';
import { segmentFor } from './margins.ts';
import { rupeeText } from './money.ts';
import type { Order, OrderRequest } from './order.ts';
import { netQuantity } from './positions.ts';

/** @throws KiteError when the exchange has no such instrument, or it cannot be traded. */
export function findTradable(market: Market, exchange: string, tradingsymbol: string): Instrument {
  const instrument = market.bySymbol(exchange, tradingsymbol);
  if (instrument === undefined) {
    throw inputError(
      `The instrument you are placing an order for has either expired or does not exist: \`tradingsymbol\` ${exchange}:${tradingsymbol}`,
    );
  }
  if (kindOf(instrument) === 'underlying') {
    throw inputError(`Invalid \`tradingsymbol\`: ${tradingsymbol} is an index and cannot be traded`);
  }
  return instrument;
}

/** Binary fractions of a price on a tick miss it by about 1e-13: tolerate far less than any tick. */
const TICK_TOLERANCE = 1e-6;

export function isOnTick(price: number, tickSize: number): boolean {
  if (tickSize <= 0) return true;
  const ticks = price / tickSize;
  return Math.abs(ticks - Math.round(ticks)) < TICK_TOLERANCE * Math.max(1, Math.abs(ticks) / 1e6);
}

/** What the gateway refuses before an order exists. @throws KiteError */
export function checkRequest(instrument: Instrument, request: OrderRequest, nowMs: number): void {
  checkProduct(instrument, request);
  checkQuantity(instrument, request, nowMs);
  checkTick('price', request.price, instrument);
  checkTick('trigger_price', request.trigger_price, instrument);
  if (request.validity === 'IOC' && (request.variety === 'amo' || instrument.exchange === 'MCX')) {
    throw inputError('Invalid `validity`: IOC is not offered here');
  }
  if (request.variety === 'co' && !['MARKET', 'LIMIT'].includes(request.order_type)) {
    throw inputError('Invalid `order_type`: a cover order is MARKET or LIMIT');
  }
  if (request.variety === 'iceberg') checkIceberg(request, instrument);
}

function checkProduct(instrument: Instrument, { product, variety }: OrderRequest): void {
  const equity = kindOf(instrument) === 'equity';
  const allowed = equity ? ['CNC', 'MIS', 'MTF'] : ['NRML', 'MIS'];
  if (variety === 'co') allowed.splice(0, allowed.length, 'MIS', 'CO');
  if (variety === 'auction') allowed.splice(0, allowed.length, 'CNC');
  if (!allowed.includes(product)) {
    throw inputError(`Invalid \`product\`: ${product} is not offered here, expected ${allowed.join(' or ')}`);
  }
}

export function checkQuantity(
  instrument: Instrument,
  request: Pick<OrderRequest, 'quantity' | 'disclosed_quantity' | 'autoslice' | 'variety' | 'iceberg_legs'>,
  nowMs: number,
): void {
  const lot = Math.max(1, instrument.lot_size);
  if (request.quantity % lot !== 0) {
    throw inputError(`Invalid \`quantity\`: should be a multiple of the lot size ${lot}`);
  }
  if (request.disclosed_quantity > request.quantity) {
    throw inputError('Invalid `disclosed_quantity`: more than `quantity`');
  }
  const limit = freezeLimit(instrument.name, istDay(nowMs));
  const isDerivative = kindOf(instrument) !== 'equity';
  if (!isDerivative || limit === undefined || request.autoslice) return;
  const perOrder = request.variety === 'iceberg' ? request.quantity / request.iceberg_legs : request.quantity;
  if (perOrder > limit) {
    throw inputError(`Invalid \`quantity\`: more than the freeze quantity ${limit} of ${instrument.name}`);
  }
}

function checkIceberg(
  { quantity, iceberg_legs, iceberg_quantity, validity }: OrderRequest,
  instrument: Instrument,
): void {
  const leg = iceberg_quantity || quantity / iceberg_legs;
  const lot = Math.max(1, instrument.lot_size);
  if (leg * iceberg_legs !== quantity || leg % lot !== 0) {
    throw inputError('Invalid `iceberg_quantity`: legs of equal whole lots must make up `quantity`');
  }
  if (validity === 'IOC') throw inputError('Invalid `validity`: IOC is not offered for iceberg orders');
}

export function checkTick(field: string, price: number, instrument: Instrument): void {
  if (isOnTick(price, instrument.tick_size)) return;
  throw inputError(
    `Invalid \`${field}\`: tick size for this script is ${instrument.tick_size.toFixed(2)}. Kindly enter price in the multiple of tick size for this script`,
  );
}

/** Sales out of the demat account need its owner's word, where the switch says so. @throws KiteError 428 */
export function checkAuthorised(instrument: Instrument, request: OrderRequest, desk: Desk): void {
  if (request.product !== 'CNC' || request.transaction_type !== 'SELL') return;
  const { instrument_token } = instrument;
  const holding = desk.holdings.find((h) => h.instrument.instrument_token === instrument_token);
  const position = desk.positions.get(instrument_token, 'CNC');
  const bought = position === undefined ? 0 : Math.max(0, netQuantity(position));
  const fromHoldings = Math.min(request.quantity - bought, holding?.quantity ?? 0);
  if (fromHoldings <= (holding?.authorisedQuantity ?? 0)) return;
  throw new KiteError(
    428,
    'HoldingException',
    `Holdings are not authorised for sale: \`quantity\` ${request.quantity} of ${instrument.tradingsymbol}`,
  );
}

/** The official sandbox takes LIMIT orders within a few percent of the last price; how many is not documented. */
const SANDBOX_PERCENT = 5;

/** @throws KiteError for what the official sandbox does not take (kite.trade/docs/connect/v3/sandbox). */
export function checkSandboxOrder(request: OrderRequest, lastPrice: number): void {
  if (request.order_type !== 'LIMIT')
    throw inputError('Invalid `order_type`: the sandbox takes LIMIT orders only');
  if (Math.abs(request.price - lastPrice) <= (lastPrice * SANDBOX_PERCENT) / 100) return;
  throw inputError(
    `Invalid \`price\`: the sandbox takes prices within ${SANDBOX_PERCENT} % of the last price ${lastPrice}`,
  );
}

/** Why the risk system or the exchange does not take an order: the text for people and the raw one. */
export interface Rejection {
  readonly message: string;
  readonly raw: string;
  readonly refusal: KiteError;
}

function rejection(
  error_type: 'OrderException' | 'MarginException' | 'InputException',
  message: string,
  raw = message,
) {
  return { message, raw, refusal: new KiteError(400, error_type, message) };
}

/** The reason to reject, or undefined for a good order. */
export function riskRejection(
  order: Order,
  desk: Desk,
  market: Market,
  switches: Switches,
): Rejection | undefined {
  return (
    closedMarket(order, market) ??
    priceRejection(order, market, switches) ??
    missingHoldings(order, desk) ??
    missingMargin(order, desk, switches)
  );
}

/** Orders of the pre-open are collected 09:00 to 09:08: shares, and futures since Dec 2025 (NSE circulars). */
const PRE_OPEN_ENTRY_MS = 8 * 60_000;

function inPreOpen(order: Order, { clock }: Market): boolean {
  if (clock.market !== 'auto' || kindOf(order.instrument) === 'option') return false;
  const nowMs = clock.nowMs();
  const hours = tradingHours(istDay(nowMs), 'cash');
  return hours !== undefined && nowMs >= hours.preOpenMs && nowMs < hours.preOpenMs + PRE_OPEN_ENTRY_MS;
}

function closedMarket(order: Order, market: Market): Rejection | undefined {
  if (market.isOpen(order.instrument.exchange) || inPreOpen(order, market)) return undefined;
  return rejection(
    'OrderException',
    'Markets are closed right now. Use AMO or GTT to place an order for the next session.',
    `RMS:Blocked for ${order.instrument.exchange} market closed`,
  );
}

/** Why the exchange would not take the order's price, its trigger, or its want of protection. */
export function priceRejection(order: Order, market: Market, switches: Switches): Rejection | undefined {
  const isMarket = order.order_type === 'MARKET' || order.order_type === 'SL-M';
  if (isMarket && order.market_protection === 0 && switches.market_protection_required) {
    return rejection(
      'InputException',
      `${order.order_type} orders without market protection are not allowed via API. Set \`market_protection\`.`,
    );
  }
  const quote = market.quote(order.instrument.instrument_token);
  if (quote === undefined) return undefined;
  const band = switches.option_limit_band_percent / 100;
  if (order.order_type === 'LIMIT' && band > 0 && kindOf(order.instrument) === 'option') {
    if (Math.abs(order.price - quote.last_price) > band * quote.last_price) {
      return rejection(
        'InputException',
        `LIMIT orders that are far away from the LTP are restricted as per exchange guidelines: \`price\` ${order.price}. Please use GTT.`,
      );
    }
  }
  if (order.price > 0) {
    const { lower_circuit_limit: low, upper_circuit_limit: high } = quote;
    if ((high > 0 && order.price > high) || order.price < low) {
      return rejection(
        'InputException',
        `Your order price is outside the circuit limits of ${low} to ${high}: \`price\` ${order.price}`,
        '16283 : The order price is out of the current price range',
      );
    }
  }
  return stopRejection(order, quote.last_price);
}

function stopRejection(order: Order, lastPrice: number): Rejection | undefined {
  if ((order.order_type !== 'SL' && order.order_type !== 'SL-M') || order.triggered) return undefined;
  const buying = order.transaction_type === 'BUY';
  if (
    order.order_type === 'SL' &&
    (buying ? order.price < order.trigger_price : order.price > order.trigger_price)
  ) {
    return rejection(
      'InputException',
      `\`trigger_price\` of a stoploss ${buying ? 'buy' : 'sell'} order cannot be ${buying ? 'above' : 'below'} its \`price\``,
      '17070 : The Price is out of the LPP range',
    );
  }
  if (buying ? order.trigger_price > lastPrice : order.trigger_price < lastPrice) return undefined;
  return rejection(
    'InputException',
    `Trigger price for stoploss ${buying ? 'buy orders should be above' : 'sell orders should be below'} the last traded price: \`trigger_price\` ${order.trigger_price}, last price ${lastPrice}`,
  );
}

function missingHoldings(order: Order, desk: Desk): Rejection | undefined {
  if (order.product !== 'CNC' || order.transaction_type !== 'SELL') return undefined;
  const sellable = desk.sellable(order.instrument, order);
  if (order.quantity - order.filled_quantity <= sellable) return undefined;
  return rejection(
    'OrderException',
    `Insufficient stock holding. Required quantity is ${order.quantity} but available is ${Math.max(0, sellable)}.`,
    `RMS:Rule: Check holdings including BTST holdings,Required:${order.quantity}, Available:${Math.max(0, sellable)} for entity account-${desk.user_id}`,
  );
}

export function missingMargin(order: Order, desk: Desk, switches: Switches): Rejection | undefined {
  if (!switches.margin_checks) return undefined;
  const required = desk.needed(order);
  if (required === 0) return undefined;
  const segment = segmentFor(order.instrument.exchange);
  const available = desk.available(segment, order);
  if (required <= available) return undefined;
  return rejection(
    'MarginException',
    `Insufficient funds. Required margin is ${rupeeText(required)} but available margin is ${rupeeText(available)}. Check the orderbook for open orders.`,
    `RMS:Margin Exceeds,Required:${rupeeText(required)}, Available:${rupeeText(available)} for entity account-${desk.user_id} across exchange across segment across product `,
  );
}
