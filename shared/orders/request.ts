import { z } from 'zod';
import { accountIdSchema } from '#shared/accounts/repository.ts';

const rupees = z.number().finite().nonnegative().max(10_000_000);
const quantity = z.int().positive().max(100_000_000);

/** How long a task may wait for its turn before it expires, where the caller does not say. */
export const DEFAULT_NOT_AFTER_MS = 60_000;
const MAX_NOT_AFTER_MS = 86_400_000;

export const orderFieldsSchema = z.strictObject({
  account_id: accountIdSchema,
  variety: z.enum(['regular', 'amo', 'co', 'iceberg', 'auction']).default('regular'),
  exchange: z.enum(['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX']),
  tradingsymbol: z
    .string()
    .regex(/^[A-Za-z0-9&.\-_ ]{1,50}$/, 'expected 1-50 letters, digits, spaces or & . - _'),
  transaction_type: z.enum(['BUY', 'SELL']),
  order_type: z.enum(['MARKET', 'LIMIT', 'SL', 'SL-M']),
  quantity,
  product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
  validity: z.enum(['DAY', 'IOC', 'TTL']).default('DAY'),
  validity_ttl: z.int().positive().max(1_440).optional(),
  price: rupees.optional(),
  trigger_price: rupees.optional(),
  disclosed_quantity: z.int().nonnegative().optional(),
  iceberg_legs: z.int().min(2).max(50).optional(),
  iceberg_quantity: quantity.optional(),
  auction_number: z
    .string()
    .regex(/^[0-9A-Za-z]{1,20}$/, 'expected 1-20 letters or digits')
    .optional(),
  /** Percent; -1 lets the broker choose. */
  market_protection: z.number().optional(),
  /** The caller's own mark; the broker sees ours instead. */
  tag: z
    .string()
    .regex(/^[0-9A-Za-z]{1,20}$/, 'expected 1-20 letters or digits')
    .optional(),
  /** ISO 8601 with offset, machine time. */
  not_after: z.iso.datetime({ offset: true }).optional(),
  on_unknown: z.enum(['replace', 'stop']).default('replace'),
});

export type OrderFields = z.output<typeof orderFieldsSchema>;

interface Rule {
  readonly path: keyof OrderFields;
  readonly message: string;
  readonly holds: (order: OrderFields) => boolean;
}

const isSet = (value: number | undefined) => value !== undefined && value !== 0;
const priced = (order: OrderFields) => order.order_type === 'LIMIT' || order.order_type === 'SL';
const stopped = (order: OrderFields) => order.order_type === 'SL' || order.order_type === 'SL-M';
const triggered = (order: OrderFields) => stopped(order) || order.variety === 'co';
const unpriced = (order: OrderFields) => order.order_type === 'MARKET' || order.order_type === 'SL-M';
const cash = (order: OrderFields) => order.exchange === 'NSE' || order.exchange === 'BSE';

/** What must hold between fields (kite.trade/docs/connect/v3/orders; prices of 0 count as absent, as clients send them). */
const RULES: readonly Rule[] = [
  {
    path: 'price',
    message: 'required by LIMIT and SL, above 0',
    holds: (order) => !priced(order) || isSet(order.price),
  },
  {
    path: 'price',
    message: 'MARKET and SL-M take no price',
    holds: (order) => !unpriced(order) || !isSet(order.price),
  },
  {
    path: 'trigger_price',
    message: 'required by SL, SL-M and variety co, above 0',
    holds: (order) => !triggered(order) || isSet(order.trigger_price),
  },
  {
    path: 'trigger_price',
    message: 'MARKET and LIMIT take no trigger_price',
    holds: (order) =>
      !(order.order_type === 'MARKET' || order.order_type === 'LIMIT') ||
      triggered(order) ||
      !isSet(order.trigger_price),
  },
  {
    path: 'trigger_price',
    message: 'must not be above price for a BUY, nor below it for a SELL',
    holds: (order) => order.order_type !== 'SL' || stopIsOnItsSide(order),
  },
  {
    path: 'market_protection',
    message: 'expected -1 (the broker chooses) or above 0 up to 100 percent',
    holds: ({ market_protection: percent }) =>
      percent === undefined || percent === -1 || (percent > 0 && percent <= 100),
  },
  {
    path: 'market_protection',
    message: 'only MARKET and SL-M take it',
    holds: (order) => !priced(order) || order.market_protection === undefined,
  },
  {
    path: 'validity_ttl',
    message: 'required by validity TTL, in minutes',
    holds: (order) => order.validity !== 'TTL' || order.validity_ttl !== undefined,
  },
  {
    path: 'validity_ttl',
    message: 'only validity TTL takes it',
    holds: (order) => order.validity === 'TTL' || order.validity_ttl === undefined,
  },
  {
    path: 'disclosed_quantity',
    message: 'must not be above quantity',
    holds: (order) => !((order.disclosed_quantity ?? 0) > order.quantity),
  },
  {
    path: 'iceberg_legs',
    message: 'required by variety iceberg and taken by no other',
    holds: (order) => (order.variety === 'iceberg') === (order.iceberg_legs !== undefined),
  },
  {
    path: 'iceberg_quantity',
    message: 'required by variety iceberg and taken by no other',
    holds: (order) => (order.variety === 'iceberg') === (order.iceberg_quantity !== undefined),
  },
  {
    path: 'iceberg_quantity',
    message: 'iceberg_legs times iceberg_quantity must be quantity',
    holds: ({ iceberg_legs, iceberg_quantity, quantity: all }) =>
      iceberg_legs === undefined || iceberg_quantity === undefined || iceberg_legs * iceberg_quantity === all,
  },
  {
    path: 'auction_number',
    message: 'required by variety auction and taken by no other',
    holds: (order) => (order.variety === 'auction') === (order.auction_number !== undefined),
  },
  {
    path: 'product',
    message: 'CNC and MTF are for NSE and BSE',
    holds: (order) => cash(order) || !(order.product === 'CNC' || order.product === 'MTF'),
  },
  {
    path: 'product',
    message: 'NRML is not for NSE and BSE',
    holds: (order) => !cash(order) || order.product !== 'NRML',
  },
];

function stopIsOnItsSide({ price, trigger_price, transaction_type }: OrderFields): boolean {
  if (typeof price !== 'number' || typeof trigger_price !== 'number' || price === 0 || trigger_price === 0)
    return true;
  return transaction_type === 'SELL' ? trigger_price >= price : trigger_price <= price;
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The body of `POST /orders`. The rules are asked although single fields are wrong, so that one answer names every
 * offending path; a field that is wrong by itself is named once.
 */
export const orderRequestSchema = z.unknown().transform((raw, context): OrderRequest => {
  const parsed = orderFieldsSchema.safeParse(raw);
  const issues = (parsed.error?.issues ?? []).flatMap(named);
  const wrong = new Set(issues.map(({ path }) => path[0]));
  const order = parsed.data ?? ({ variety: 'regular', validity: 'DAY', ...(raw as object) } as OrderFields);
  const broken = isObject(raw) ? RULES.filter(({ path, holds }) => !wrong.has(path) && !holds(order)) : [];
  for (const issue of issues) context.addIssue({ code: 'custom', ...issue });
  for (const { path, message } of broken) context.addIssue({ code: 'custom', path: [path], message });
  return parsed.success ? canonical(parsed.data) : z.NEVER;
});

function named(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'not known here' }));
}

export type OrderRequest = Omit<OrderFields, 'not_after'> & { readonly not_after?: string | undefined };

/** Absent and zero prices are one; MARKET and SL-M without a protection get the broker's own choice (-1). */
function canonical(order: OrderFields): OrderRequest {
  return {
    ...order,
    price: isSet(order.price) ? order.price : undefined,
    trigger_price: isSet(order.trigger_price) ? order.trigger_price : undefined,
    market_protection: unpriced(order) ? (order.market_protection ?? -1) : undefined,
  };
}

/**
 * Wall time, epoch ms, after which the order must not be sent any more; undefined when the caller's own is past
 * or more than a day ahead.
 */
export function notAfterMs(request: Pick<OrderRequest, 'not_after'>, wallMs: number): number | undefined {
  if (request.not_after === undefined) return wallMs + DEFAULT_NOT_AFTER_MS;
  const notAfter = Date.parse(request.not_after);
  return notAfter > wallMs && notAfter <= wallMs + MAX_NOT_AFTER_MS ? notAfter : undefined;
}
