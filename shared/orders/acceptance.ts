import type { InputError } from '#shared/http/problem.ts';
import { istDay } from '#shared/market/calendar.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { freezeLimit } from './freeze-limits.ts';
import { notAfterMs, type OrderRequest } from './request.ts';
import { sliceQuantities } from './slicing.ts';
import { MAX_SLICES, newTaskId, sliceTag } from './tags.ts';
import type { Task } from './types.ts';

export interface Acceptance {
  readonly request: OrderRequest;
  readonly instrument: Instrument;
  readonly owner: string;
  /** Market time and wall time of acceptance. */
  readonly nowMs: number;
  readonly wallMs: number;
}

/** The task that an order request becomes, or all that is wrong with it for this instrument at this moment. */
export function accept(acceptance: Acceptance): Task | readonly InputError[] {
  const { request, instrument, owner, nowMs, wallMs } = acceptance;
  const day = istDay(nowMs);
  const notAfter = notAfterMs(request, wallMs);
  const quantities = quantitiesOf(request, instrument, day);
  const errors = [
    ...instrumentErrors(request, instrument),
    ...(notAfter === undefined ? [{ path: 'not_after', message: 'must lie ahead, by a day at most' }] : []),
    ...(quantities === undefined ? [tooMuch(instrument, day)] : []),
  ];
  if (errors.length > 0 || notAfter === undefined || quantities === undefined) return errors;
  const task_id = newTaskId(wallMs);
  return {
    task_id,
    account_id: request.account_id,
    owner,
    status: 'PENDING',
    version: 1,
    request,
    slices: quantities.map((quantity, index) => ({ tag: sliceTag(task_id, index), quantity })),
    trading_day: day,
    not_after_ms: notAfter,
    failures: 0,
    created_at_ms: wallMs,
    updated_at_ms: wallMs,
  };
}

function instrumentErrors(request: OrderRequest, instrument: Instrument): InputError[] {
  const { tradingsymbol, lot_size, tick_size, segment } = instrument;
  if (segment === 'INDICES')
    return [{ path: 'tradingsymbol', message: `${tradingsymbol} is an index: it does not trade` }];
  const inLots = (path: 'quantity' | 'disclosed_quantity' | 'iceberg_quantity') =>
    lot_size > 1 && (request[path] ?? 0) % lot_size !== 0
      ? [{ path, message: `${tradingsymbol} trades in lots of ${lot_size}` }]
      : [];
  const onTick = (path: 'price' | 'trigger_price') =>
    isOnTick(request[path] ?? 0, tick_size)
      ? []
      : [{ path, message: `${tradingsymbol} has prices in steps of ${tick_size}` }];
  return [
    ...inLots('quantity'),
    ...inLots('disclosed_quantity'),
    ...inLots('iceberg_quantity'),
    ...onTick('price'),
    ...onTick('trigger_price'),
  ];
}

/** Prices are binary fractions: near enough to a multiple is one. */
function isOnTick(price: number, tickSize: number): boolean {
  if (tickSize <= 0) return true;
  const ticks = price / tickSize;
  return Math.abs(ticks - Math.round(ticks)) < 1e-4;
}

/** Undefined when the order is too much. Only plain orders are cut; the legs of an iceberg each stay below the limit. */
function quantitiesOf(request: OrderRequest, instrument: Instrument, day: string): number[] | undefined {
  const { variety, quantity, iceberg_quantity } = request;
  const limit = freezeLimit(instrument.name, day);
  const isDerivative = instrument.instrument_type !== 'EQ';
  if (limit === undefined || !isDerivative) return [quantity];
  if (variety === 'regular' || variety === 'amo')
    return sliceQuantities(quantity, instrument.lot_size, limit);
  return (variety === 'iceberg' ? (iceberg_quantity ?? quantity) : quantity) > limit ? undefined : [quantity];
}

function tooMuch(instrument: Instrument, day: string): InputError {
  const limit = freezeLimit(instrument.name, day);
  return {
    path: 'quantity',
    message: `${instrument.name} takes ${limit} in one order; regular orders are cut into at most ${MAX_SLICES}`,
  };
}
