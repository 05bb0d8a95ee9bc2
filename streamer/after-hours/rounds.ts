import { expiryMs } from '#shared/market/calendar.ts';
import { CHANNEL_OF_KIND, TICK_CHANNELS, type TickChannel } from '#shared/messages/channels.ts';
import type { Slot } from '../enrich/slot.ts';
import { FIELD } from '../feed/decode.ts';
import type { ChannelBatcher } from '../publish/batcher.ts';
import { pathAt } from './path.ts';
import { newTwin, placeTwin, type Twin, type TwinPricer } from './twin.ts';

/** What the synthetic source needs of an account. */
export interface SimulatedAccount {
  /** Every instrument held, those for pricing alone included. */
  readonly slots: Iterable<Slot>;
  readonly slotCount: number;
  readonly pricer: TwinPricer;
  readonly batchers: Readonly<Record<TickChannel, Pick<ChannelBatcher, 'publishMocks'>>>;
  /** What the slot shows changed: the last-value hash is behind. */
  changed(slot: Slot): void;
}

export interface RoundSettings {
  readonly seed: number;
  /** Wall time in which every instrument ticks once. */
  readonly tickMs: number;
  /** How far prices may go from the last real ones, as a fraction. */
  readonly band: number;
  /** How far they may go in one tick. */
  readonly step: number;
}

/** The moment of a turn: market time, steady time, and how much of the band may be used, 0 to 1. */
export interface Moment {
  readonly nowMs: number;
  readonly steadyMs: number;
  readonly freedom: number;
}

/** Lets the instruments of one account tick once a round, evenly over the round's time, underlyings first. */
export class Rounds {
  readonly #account: SimulatedAccount;
  readonly #settings: RoundSettings;
  readonly #ready: Readonly<Record<TickChannel, Slot[]>>;
  #begun: Moment = { nowMs: 0, steadyMs: Number.NEGATIVE_INFINITY, freedom: 0 };
  /** Where the round stands; undefined once it is over. */
  #next: Iterator<Slot> | undefined;
  #visited = 0;

  constructor(account: SimulatedAccount, settings: RoundSettings) {
    this.#account = account;
    this.#settings = settings;
    this.#ready = { options: [], underlying: [], futures: [], equities: [] };
  }

  /** Publishes what is due. */
  turn(moment: Moment): void {
    if (this.#next === undefined && !this.#begin(moment)) return;
    const share = (moment.steadyMs - this.#begun.steadyMs) / this.#settings.tickMs;
    const due = share >= 1 ? Number.POSITIVE_INFINITY : Math.ceil(share * this.#account.slotCount);
    for (; this.#visited < due; this.#visited += 1) {
      const step = this.#next?.next();
      if (step === undefined || step.done === true) {
        this.#next = undefined;
        break;
      }
      if (step.value.kind !== 'underlying') this.#visit(step.value);
    }
    this.#publish();
  }

  /** Everything shows its real values again. */
  end(): void {
    this.#next = undefined;
    for (const slot of this.#account.slots) this.#showReal(slot);
  }

  #begin(moment: Moment): boolean {
    if (moment.steadyMs - this.#begun.steadyMs < this.#settings.tickMs) return false;
    this.#begun = moment;
    this.#visited = 0;
    for (const slot of this.#account.slots) if (slot.kind === 'underlying') this.#visit(slot);
    this.#next = this.#account.slots[Symbol.iterator]();
    return true;
  }

  #visit(slot: Slot): void {
    const { nowMs } = this.#begun;
    if (slot.shown === slot) {
      if (!hasLastPrice(slot) || isExpired(slot, nowMs)) return;
      // The first synthetic price is the last real one.
      slot.shown = newTwin(slot, this.#settings.seed);
    } else this.#move(slot.shown as Twin);
    placeTwin(slot.shown as Twin, this.#account.pricer, nowMs);
    if (slot.published) this.#ready[CHANNEL_OF_KIND[slot.kind]].push(slot);
  }

  #move({ mock }: Twin): void {
    const { band, step } = this.#settings;
    const { nowMs, freedom } = this.#begun;
    const reach = band * freedom;
    const way = reach * pathAt(mock.pathSeed, nowMs) - mock.drift;
    const moved = mock.drift + Math.min(step, Math.max(-step, way));
    mock.drift = Math.min(reach, Math.max(-reach, moved));
  }

  #publish(): void {
    for (const channel of TICK_CHANNELS) {
      const ready = this.#ready[channel];
      if (ready.length === 0) continue;
      const taken = this.#account.batchers[channel].publishMocks(ready);
      for (let index = 0; index < taken; index += 1) {
        const slot = ready[index]!;
        if (!slot.dirty) this.#account.changed(slot);
      }
      ready.length = 0;
    }
  }

  #showReal(slot: Slot): void {
    const { shown } = slot;
    if (shown === slot) return;
    // In the hash they take the place of everything synthetic that was published of the instrument.
    slot.seq = Math.max(slot.seq, shown.seq);
    slot.shown = slot;
    if (slot.published && !slot.dirty) this.#account.changed(slot);
  }
}

function hasLastPrice(slot: Slot): boolean {
  return slot.packetLength > 0 && slot.fields[FIELD.last_price]! > 0;
}

function isExpired({ instrument: { expiry } }: Slot, nowMs: number): boolean {
  return expiry !== '' && expiryMs(expiry) <= nowMs;
}
