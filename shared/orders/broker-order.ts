import type { BrokerOrder } from '#shared/broker/types.ts';
import type { OrderRequest } from './request.ts';
import type { Slice } from './types.ts';

/** What goes to the broker for one slice: the request's fields, the slice's quantity, our tag. */
export function brokerOrder(request: OrderRequest, slice: Slice): BrokerOrder {
  const { account_id: _account, not_after: _notAfter, on_unknown: _onUnknown, tag: _tag, ...order } = request;
  const disclosed = order.disclosed_quantity;
  return {
    ...order,
    quantity: slice.quantity,
    disclosed_quantity: disclosed === undefined ? undefined : Math.min(disclosed, slice.quantity),
    tag: slice.tag,
  };
}
