/** How what streams may differ from what shall. */
export const DRIFT_KINDS = ['not_streaming', 'not_wanted', 'wrong_mode'] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];
export type DriftCounts = Record<DriftKind, number>;

export function noDrift(): DriftCounts {
  return { not_streaming: 0, not_wanted: 0, wrong_mode: 0 };
}

export function addDrift(total: DriftCounts, found: Readonly<DriftCounts>): void {
  for (const kind of DRIFT_KINDS) total[kind] += found[kind];
}

export function isDrift(found: Readonly<DriftCounts>): boolean {
  return DRIFT_KINDS.some((kind) => found[kind] > 0);
}
