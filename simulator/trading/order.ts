import { istDateTime } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { toRupees } from './money.ts';

export const VARIETIES = ['regular', 'amo', 'co', 'iceberg', 'auction'] as const;
export type Variety = (typeof VARIETIES)[number];
export type Side = 'BUY' | 'SELL';
export type OrderType = 'MARKET' | 'LIMIT' | 'SL' | 'SL-M';
export type Validity = 'DAY' | 'IOC' | 'TTL';

export type OrderStatus =
  | 'PUT ORDER REQ RECEIVED'
  | 'VALIDATION PENDING'
  | 'OPEN PENDING'
  | 'OPEN'
  | 'TRIGGER PENDING'
  | 'MODIFY VALIDATION PENDING'
  | 'MODIFY PENDING'
  | 'MODIFIED'
  | 'CANCEL PENDING'
  | 'AMO REQ RECEIVED'
  | 'COMPLETE'
  | 'CANCELLED'
  | 'REJECTED';

const FINAL: ReadonlySet<OrderStatus> = new Set(['COMPLETE', 'CANCELLED', 'REJECTED']);
export const isFinal = (order: Pick<Order, 'status'>) => FINAL.has(order.status);

/** What a client asks for; prices in rupees as it sent them, so that they are echoed to the last digit. */
export interface OrderRequest {
  readonly variety: Variety;
  readonly exchange: string;
  readonly tradingsymbol: string;
  readonly transaction_type: Side;
  readonly quantity: number;
  readonly product: string;
  readonly order_type: OrderType;
  readonly price: number;
  readonly trigger_price: number;
  readonly validity: Validity;
  readonly validity_ttl: number;
  readonly disclosed_quantity: number;
  /** Percent; -1 is the broker's own band, 0 none. */
  readonly market_protection: number;
  readonly iceberg_legs: number;
  readonly iceberg_quantity: number;
  readonly auction_number: string | null;
  readonly tag: string | null;
  readonly autoslice: boolean;
}

export interface Iceberg {
  leg: number;
  legs: number;
  leg_quantity: number;
  total_quantity: number;
  remaining_quantity: number;
}

/** One order in the book. Prices are rupees, `filledValue` is in money units. */
export interface Order {
  readonly order_id: string;
  readonly user_id: string;
  readonly api_key: string;
  /** Found again in each new day's dump while the order waits. */
  instrument: Instrument;
  readonly variety: Variety;
  readonly transaction_type: Side;
  readonly tag: string | null;
  readonly guid: string;
  readonly auction_number: string | null;
  parent_order_id: string | null;
  product: string;
  order_type: OrderType;
  quantity: number;
  price: number;
  trigger_price: number;
  validity: Validity;
  validity_ttl: number;
  disclosed_quantity: number;
  market_protection: number;
  status: OrderStatus;
  status_message: string | null;
  status_message_raw: string | null;
  exchange_order_id: string | null;
  orderMs: number;
  exchangeMs: number | null;
  exchangeUpdateMs: number | null;
  filled_quantity: number;
  filledValue: number;
  cancelled_quantity: number;
  modified: boolean;
  modifications: number;
  iceberg: Iceberg | null;
  /** The price a market order was converted to; absent for others. */
  protectedPrice: number | null;
  /** Once an SL order was triggered it is an ordinary one. */
  triggered: boolean;
  /** When the simulator took it and from when the book shows it, machine time. */
  readonly receivedWallMs: number;
  readonly visibleWallMs: number;
  /** For an AMO: whether the market was seen closed since it was placed. */
  sawClosed: boolean;
  readonly history: OrderRow[];
}

export const pendingOf = (order: Pick<Order, 'quantity' | 'filled_quantity'>) =>
  order.quantity - order.filled_quantity;

/** An order as the broker shows it (field list of orders.json in zerodha/kiteconnect-mocks). */
export type OrderRow = ReturnType<typeof orderRow>;

export function orderRow(order: Order) {
  const time = (ms: number | null) => (ms === null ? null : istDateTime(ms));
  return {
    placed_by: order.user_id,
    order_id: order.order_id,
    exchange_order_id: order.exchange_order_id,
    parent_order_id: order.parent_order_id,
    status: order.status as string,
    status_message: order.status_message,
    status_message_raw: order.status_message_raw,
    order_timestamp: istDateTime(order.orderMs),
    exchange_update_timestamp: time(order.exchangeUpdateMs),
    exchange_timestamp: time(order.exchangeMs),
    variety: order.variety,
    modified: order.modified,
    exchange: order.instrument.exchange,
    tradingsymbol: order.instrument.tradingsymbol,
    instrument_token: order.instrument.instrument_token,
    order_type: order.order_type,
    transaction_type: order.transaction_type,
    validity: order.validity,
    validity_ttl: order.validity_ttl,
    product: order.product,
    quantity: order.quantity,
    disclosed_quantity: order.disclosed_quantity,
    price: order.price,
    trigger_price: order.trigger_price,
    auction_number: order.auction_number,
    average_price: averagePrice(order),
    filled_quantity: order.filled_quantity,
    pending_quantity: order.status === 'REJECTED' ? 0 : pendingOf(order),
    cancelled_quantity: order.cancelled_quantity,
    market_protection: order.market_protection,
    meta: order.iceberg === null ? {} : { iceberg: { ...order.iceberg } },
    tag: order.tag,
    ...(order.tag === null ? {} : { tags: [order.tag] }),
    guid: order.guid,
  };
}

/** Four decimals: what the exchange's averages carry. */
function averagePrice(order: Order): number {
  if (order.filled_quantity === 0) return 0;
  return toRupees(Math.round(order.filledValue / order.filled_quantity));
}

/** Moves an order on and keeps the row that its history shows for it. */
export function move(order: Order, status: OrderStatus): void {
  order.status = status;
  order.history.push(orderRow(order));
}

export interface Trade {
  readonly trade_id: string;
  readonly order: Order;
  readonly quantity: number;
  /** Money units. */
  readonly price: number;
  readonly atMs: number;
}

/** A trade as the broker shows it: order_timestamp is a time without its day. */
export function tradeRow({ trade_id, order, quantity, price, atMs }: Trade) {
  return {
    trade_id,
    order_id: order.order_id,
    exchange_order_id: order.exchange_order_id,
    exchange: order.instrument.exchange,
    tradingsymbol: order.instrument.tradingsymbol,
    instrument_token: order.instrument.instrument_token,
    product: order.product,
    transaction_type: order.transaction_type,
    average_price: toRupees(price),
    quantity,
    fill_timestamp: istDateTime(atMs),
    order_timestamp: istDateTime(atMs).slice(11),
    exchange_timestamp: istDateTime(atMs),
  };
}
