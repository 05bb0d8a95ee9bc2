import { randomUUID } from 'node:crypto';
import { istDay } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import type { Iceberg, Order, OrderRequest } from './order.ts';

/** Who sends an order. */
export interface Source {
  readonly user_id: string;
  readonly api_key: string;
}

export interface Times {
  readonly nowMs: number;
  readonly wallMs: number;
  /** Machine time from which the order book shows it. */
  readonly visibleWallMs: number;
}

/** Order ids as of today: 19 digits that begin with the day (zerodha/kiteconnect-mocks). */
export function orderId(nowMs: number, serial: number): string {
  return istDay(nowMs).slice(2).replaceAll('-', '') + String(serial).padStart(13, '0');
}

export function exchangeOrderId(serial: number): string {
  return `1${String(serial).padStart(15, '0')}`;
}

export function newOrder(
  source: Source,
  instrument: Instrument,
  request: OrderRequest,
  order_id: string,
  { nowMs, wallMs, visibleWallMs }: Times,
): Order {
  return {
    ...source,
    order_id,
    instrument,
    variety: request.variety,
    transaction_type: request.transaction_type,
    tag: request.tag,
    guid: randomUUID(),
    auction_number: request.auction_number,
    parent_order_id: null,
    // A cover order sent as MIS reads back as CO.
    product: request.variety === 'co' ? 'CO' : request.product,
    order_type: request.order_type,
    quantity: request.variety === 'iceberg' ? legQuantity(request) : request.quantity,
    price: request.price,
    trigger_price: request.trigger_price,
    validity: request.validity,
    validity_ttl: request.validity_ttl,
    disclosed_quantity: request.disclosed_quantity,
    market_protection: request.market_protection,
    status: 'PUT ORDER REQ RECEIVED',
    status_message: null,
    status_message_raw: null,
    exchange_order_id: null,
    orderMs: nowMs,
    exchangeMs: null,
    exchangeUpdateMs: null,
    filled_quantity: 0,
    filledValue: 0,
    cancelled_quantity: 0,
    modified: false,
    modifications: 0,
    iceberg: request.variety === 'iceberg' ? firstLeg(request) : null,
    protectedPrice: null,
    triggered: false,
    receivedWallMs: wallMs,
    visibleWallMs,
    sawClosed: false,
    history: [],
  };
}

const legQuantity = (request: OrderRequest) =>
  request.iceberg_quantity || request.quantity / request.iceberg_legs;

function firstLeg(request: OrderRequest): Iceberg {
  const leg_quantity = legQuantity(request);
  return {
    leg: 1,
    legs: request.iceberg_legs,
    leg_quantity,
    total_quantity: request.quantity,
    remaining_quantity: request.quantity - leg_quantity,
  };
}
