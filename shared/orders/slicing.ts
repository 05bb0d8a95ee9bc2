import { MAX_SLICES } from './tags.ts';

/**
 * The quantities of the orders that an order above the exchange's freeze limit is cut into: each the largest
 * lot multiple not above the limit, the last one the rest. Undefined when that needs more slices than tags can number.
 */
export function sliceQuantities(
  quantity: number,
  lotSize: number,
  freezeLimit: number | undefined,
): number[] | undefined {
  if (freezeLimit === undefined || quantity <= freezeLimit) return [quantity];
  const most = Math.floor(freezeLimit / lotSize) * lotSize;
  if (most === 0) return undefined;
  const count = Math.ceil(quantity / most);
  if (count > MAX_SLICES) return undefined;
  return Array.from({ length: count }, (_, index) => Math.min(most, quantity - index * most));
}
