/** One measured figure; `budget` is the design's, null where it names none. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly budget: string | null;
  readonly ok: boolean;
}

/** A figure that shall be at least the budget. */
export function atLeast(name: string, value: number, unit: string, budget: number): Figure {
  return { name, value: rounded(value), unit, budget: `>= ${budget}`, ok: value >= budget };
}

/** A figure that shall be at most the budget. */
export function atMost(name: string, value: number, unit: string, budget: number): Figure {
  return { name, value: rounded(value), unit, budget: `<= ${budget}`, ok: value <= budget };
}

/** A figure that the design gives no budget for. */
export function observed(name: string, value: number, unit: string): Figure {
  return { name, value: rounded(value), unit, budget: null, ok: true };
}

/** The value below which the share `p` (0 to 1) of the values lies. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new Error('no values to take a percentile of');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)]!;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
