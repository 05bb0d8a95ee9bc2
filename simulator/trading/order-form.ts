import type { Form } from '../rest/form.ts';
import { inputError } from '../rest/kite-error.ts';
import type { OrderRequest, OrderType, Validity, Variety } from './order.ts';

const EXCHANGES = ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX'] as const;
const SIDES = ['BUY', 'SELL'] as const;
const ORDER_TYPES: readonly OrderType[] = ['MARKET', 'LIMIT', 'SL', 'SL-M'];
const VALIDITIES: readonly Validity[] = ['DAY', 'IOC', 'TTL'];
const PRODUCTS = ['CNC', 'NRML', 'MIS', 'MTF', 'CO'] as const;
export const QUANTITY = { min: 1, max: 100_000_000 };

/** The fields of POST /orders/{variety}. @throws KiteError InputException naming the field that is wrong. */
export function readOrderRequest(variety: Variety, form: Form): OrderRequest {
  const order_type = form.oneOf('order_type', ORDER_TYPES);
  const validity = form.oneOf('validity', VALIDITIES, 'DAY');
  return {
    variety,
    exchange: form.oneOf('exchange', EXCHANGES),
    tradingsymbol: form.text('tradingsymbol'),
    transaction_type: form.oneOf('transaction_type', SIDES),
    quantity: form.integer('quantity', QUANTITY),
    product: form.oneOf('product', PRODUCTS),
    order_type,
    price: readPrice(form, order_type),
    trigger_price: readTrigger(form, order_type, variety),
    validity,
    validity_ttl: validity === 'TTL' ? form.integer('validity_ttl', { min: 1, max: 375 }) : 0,
    disclosed_quantity: form.integer('disclosed_quantity', { min: 0, max: QUANTITY.max }, 0),
    market_protection: readMarketProtection(form),
    iceberg_legs: variety === 'iceberg' ? form.integer('iceberg_legs', { min: 2, max: 50 }) : 0,
    iceberg_quantity: form.integer('iceberg_quantity', { min: 0, max: QUANTITY.max }, 0),
    auction_number: variety === 'auction' ? form.text('auction_number') : null,
    tag: readTag(form),
    autoslice: form.boolean('autoslice', false),
  };
}

function readPrice(form: Form, orderType: OrderType): number {
  if (orderType === 'MARKET' || orderType === 'SL-M') return 0;
  const price = form.price('price');
  if (price <= 0) throw inputError('Invalid `price`: a limit price above 0 is needed');
  return price;
}

function readTrigger(form: Form, orderType: OrderType, variety: Variety): number {
  const needed = orderType === 'SL' || orderType === 'SL-M' || variety === 'co';
  if (!needed) return 0;
  const trigger = form.price('trigger_price');
  if (trigger <= 0) throw inputError('Invalid `trigger_price`: a trigger price above 0 is needed');
  return trigger;
}

/** -1 is the broker's own band, above 0 to 100 a percentage, 0 none (kite.trade forum 15912). */
export function readMarketProtection(form: Form): number {
  const percent = form.number('market_protection', 0);
  if (percent !== -1 && (percent < 0 || percent > 100)) {
    throw inputError('Invalid `market_protection`: expected -1, or 0 to 100');
  }
  return percent;
}

function readTag(form: Form): string | null {
  const tag = form.optionalText('tag') ?? null;
  if (tag !== null && !/^[A-Za-z0-9]{1,20}$/.test(tag)) {
    throw inputError('Invalid `tag`: letters and digits only, at most 20');
  }
  return tag;
}
