import { z } from 'zod';
import type { Clock } from '#shared/clock.ts';
import { uniform } from '#shared/random.ts';
import { type ArmedFault, FAULT_KINDS, type FaultKind, type FaultPlace, type Faults } from '../contracts.ts';

/** The body of `POST /_sim/faults`. Without count, probability or seconds a fault fires once. */
export const faultRequest = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  account: z.string().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
  count: z.int().min(1).max(1_000_000).optional(),
  seconds: z.number().positive().max(86_400).optional(),
  delay_ms: z.number().min(0).max(3_600_000).optional(),
  path: z.string().min(1).optional(),
  status: z.int().min(400).max(599).optional(),
  error_type: z.string().min(1).optional(),
  ms: z.number().min(0).max(3_600_000).optional(),
});
export type FaultRequest = z.infer<typeof faultRequest>;

type Armed = { -readonly [Field in keyof ArmedFault]: ArmedFault[Field] } & { armedWallMs: number };

/**
 * Decides which request, order or frame goes wrong. Durations run on the machine's clock, so that a market at
 * 60x does not shorten them; probabilities come from one seeded stream, so that a run can be repeated.
 */
export class FaultBox implements Faults {
  readonly #clock: Clock;
  readonly #seed: number;
  #draws = 0;
  #faults: Armed[] = [];
  #spent: Armed[] = [];
  #lastId = 0;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
  }

  get armed(): boolean {
    return this.#faults.length > 0;
  }

  arm(request: FaultRequest): ArmedFault {
    const once =
      request.count === undefined && request.probability === undefined && request.seconds === undefined;
    this.#lastId += 1;
    const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
    const fault = {
      ...(given as FaultRequest),
      ...(once ? { count: 1 } : {}),
      id: this.#lastId,
      fired: 0,
      armedWallMs: this.#clock.wallMs(),
    } as Armed;
    this.#faults.push(fault);
    return publicView(fault);
  }

  fire(kind: FaultKind, at: FaultPlace): ArmedFault | undefined {
    if (this.#faults.length === 0) return undefined;
    this.#retire();
    for (const fault of this.#faults) {
      if (!matches(fault, kind, at)) continue;
      if (fault.probability !== undefined && this.#draw() >= fault.probability) continue;
      fault.fired += 1;
      this.#retire();
      return publicView(fault);
    }
    return undefined;
  }

  active(kind: FaultKind, at: { account: string }): ArmedFault | undefined {
    if (this.#faults.length === 0) return undefined;
    this.#retire();
    const fault = this.#faults.find((candidate) => matches(candidate, kind, at));
    return fault && publicView(fault);
  }

  /** Those that may still fire, then those that are used up, each with how often it fired. */
  list(): (ArmedFault & { armed: boolean })[] {
    this.#retire();
    return [
      ...this.#faults.map((fault) => ({ ...publicView(fault), armed: true })),
      ...this.#spent.map((fault) => ({ ...publicView(fault), armed: false })),
    ];
  }

  /** Removes one fault, or all with the memory of those that fired. @returns whether there was one. */
  clear(id?: number): boolean {
    const before = this.#faults.length + this.#spent.length;
    if (id === undefined) {
      this.#faults = [];
      this.#spent = [];
      this.#draws = 0;
      return before > 0;
    }
    this.#faults = this.#faults.filter((fault) => fault.id !== id);
    this.#spent = this.#spent.filter((fault) => fault.id !== id);
    return this.#faults.length + this.#spent.length < before;
  }

  #draw(): number {
    this.#draws += 1;
    return uniform(this.#seed, this.#draws);
  }

  #retire(): void {
    const wallMs = this.#clock.wallMs();
    const over = this.#faults.filter((fault) => isOver(fault, wallMs));
    if (over.length === 0) return;
    this.#faults = this.#faults.filter((fault) => !over.includes(fault));
    this.#spent = [...this.#spent, ...over].slice(-100);
  }
}

function isOver(fault: Armed, wallMs: number): boolean {
  if (fault.count !== undefined && fault.fired >= fault.count) return true;
  // A held dead connection lasts `seconds` from when it dies, not from when the fault was armed.
  if (fault.seconds === undefined || fault.kind === 'feed_hold_dead') return false;
  return wallMs >= fault.armedWallMs + fault.seconds * 1000;
}

function matches(fault: Armed, kind: FaultKind, at: FaultPlace): boolean {
  if (fault.kind !== kind) return false;
  if (fault.account !== undefined && fault.account !== at.account) return false;
  if (fault.path === undefined) return at.named !== true;
  return at.path === undefined || pathMatches(fault.path, at.path);
}

/** `wanted` is a prefix of the path, with the method before it or without: `/orders`, `POST /orders/regular`. */
function pathMatches(wanted: string, at: string): boolean {
  const path = at.slice(at.indexOf(' ') + 1);
  return wanted.includes(' ') ? at.startsWith(wanted) : path.startsWith(wanted);
}

function publicView({ armedWallMs: _, ...fault }: Armed): ArmedFault {
  return fault;
}
