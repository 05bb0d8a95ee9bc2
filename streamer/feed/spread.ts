/** A seat as the spreading of instruments sees it. */
export interface Load {
  readonly instruments: number;
  readonly capacity: number;
}

/** The least loaded place with room, or undefined. */
export function leastLoaded<T>(loads: ReadonlyMap<T, Load>): T | undefined {
  let best: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [place, { instruments, capacity }] of loads) {
    if (instruments < least && instruments < capacity) [best, least] = [place, instruments];
  }
  return best;
}

/**
 * The seat that the others can take over with much room to spare, or undefined: far below the soft target at which a
 * connection is opened, so that instruments do not go to and fro.
 * @param fraction of the soft target of the seats that stay
 */
export function superfluous<T>(
  loads: ReadonlyMap<T, Load>,
  softTarget: number,
  fraction: number,
): T | undefined {
  if (loads.size < 2) return undefined;
  const smallest = [...loads].reduce((a, b) => (b[1].instruments < a[1].instruments ? b : a));
  const rest = [...loads.values()].filter((load) => load !== smallest[1]);
  const total = rest.reduce((sum, load) => sum + load.instruments, smallest[1].instruments);
  const room = rest.reduce((sum, load) => sum + Math.min(softTarget, load.capacity), 0);
  return total <= fraction * room ? smallest[0] : undefined;
}
