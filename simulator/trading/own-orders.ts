import { KiteError } from '../rest/kite-error.ts';
import type { Broker } from './broker.ts';
import type { Source } from './new-order.ts';
import type { OrderRequest } from './order.ts';

/** What became of an order that a trigger or an alert placed. */
export interface OwnOrderResult {
  readonly status: 'success' | 'failed';
  readonly order_id: string;
  readonly rejection_reason: string;
}

/** Places an order of the broker's own making; a refusal becomes its reason. */
export function placeQuietly(broker: Broker, source: Source, request: OrderRequest): OwnOrderResult {
  try {
    const [placed] = broker.place(source, request);
    if (placed !== undefined && 'order_id' in placed) {
      const order = broker.desk(source.user_id).orders.get(placed.order_id);
      const status = order?.status === 'REJECTED' ? 'failed' : 'success';
      return { status, order_id: placed.order_id, rejection_reason: order?.status_message ?? '' };
    }
    return {
      status: 'failed',
      order_id: '',
      rejection_reason: placed?.error.message ?? 'nothing was placed',
    };
  } catch (error) {
    if (!(error instanceof KiteError)) throw error;
    return { status: 'failed', order_id: '', rejection_reason: error.message };
  }
}

export function limitOrder(
  fields: Pick<
    OrderRequest,
    'exchange' | 'tradingsymbol' | 'transaction_type' | 'quantity' | 'product' | 'price'
  >,
): OrderRequest {
  return {
    variety: 'regular',
    order_type: 'LIMIT',
    trigger_price: 0,
    validity: 'DAY',
    validity_ttl: 0,
    disclosed_quantity: 0,
    market_protection: 0,
    iceberg_legs: 0,
    iceberg_quantity: 0,
    auction_number: null,
    tag: null,
    autoslice: false,
    ...fields,
  };
}
