import type { Seat } from './seat.ts';
import { type Load, leastLoaded, superfluous } from './spread.ts';

export interface CompactionSettings {
  readonly softTarget: number;
  /** Of the soft target of the connections that stay: below it one is given up. */
  readonly compactFraction: number;
  /** It must have been so for this long, with every connection open. */
  readonly compactAfterMs: number;
}

export interface CompactionPlan {
  /** Whose instruments move away. */
  readonly seat: Seat;
  readonly targets: ReadonlyMap<Seat, readonly number[]>;
}

/** Notices when an account's instruments have long fitted well onto one connection less. */
export class Compaction {
  readonly #settings: CompactionSettings;
  #sinceMs: number | undefined;

  constructor(settings: CompactionSettings) {
    this.#settings = settings;
  }

  due(seats: readonly Seat[], nowMs: number): CompactionPlan | undefined {
    const { compactFraction, compactAfterMs, softTarget } = this.#settings;
    const loads = new Map<Seat, Load>(
      seats.map((seat) => [seat, { instruments: seat.connection.size, capacity: seat.capacity }]),
    );
    const seat = superfluous(loads, softTarget, compactFraction);
    if (seat === undefined || seats.some(({ isOpen }) => !isOpen)) {
      this.#sinceMs = undefined;
      return undefined;
    }
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#sinceMs < compactAfterMs) return undefined;
    this.#sinceMs = undefined;
    loads.delete(seat);
    return { seat, targets: spread(seat.connection.wanted.keys(), loads) };
  }
}

/** Each token to the least loaded of the seats; those without room are left out. */
function spread(tokens: Iterable<number>, loads: Map<Seat, Load>): Map<Seat, number[]> {
  const parts = new Map<Seat, number[]>();
  for (const token of tokens) {
    const seat = leastLoaded(loads);
    if (seat === undefined) break;
    const part = parts.get(seat) ?? [];
    parts.set(seat, part);
    part.push(token);
    const { instruments, capacity } = loads.get(seat)!;
    loads.set(seat, { instruments: instruments + 1, capacity });
  }
  return parts;
}
