/**
 * The parts that the broker cuts an order into: as many lots as the freeze limit allows, the rest last.
 * The service slices by code of its own, so that neither side's mistake hides the other's.
 */
export function autoslices(quantity: number, lotSize: number, freezeLimit: number): number[] {
  const most = Math.max(1, Math.floor(freezeLimit / lotSize)) * lotSize;
  const parts: number[] = [];
  for (let left = quantity; left > 0; left -= most) parts.push(Math.min(left, most));
  return parts;
}
