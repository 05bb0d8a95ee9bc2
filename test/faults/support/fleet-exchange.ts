import type { FollowingClock } from '#shared/clock.ts';
import type { Instrument } from '#shared/market/instrument.ts';
import { lasting } from '#test/support/lasting.ts';
import { type OwnProcess, until } from '#test/support/processes.ts';
import { simulatorInstruments } from '#test/support/streamer-rig.ts';
import { ExchangeTap, postJson, type Sent } from './sent.ts';
import { timeOf } from './tick-key.ts';

const SEND_MS = 30_000;

/** The fleet's simulator: its clock, its faults, and taps on everything that it sends. */
export class FleetExchange {
  readonly simulator: OwnProcess;
  /** Follows the simulator's. */
  readonly clock: FollowingClock;
  readonly #taps = new Map<string, ExchangeTap>();
  #opened = 0;
  #speed = 1;

  constructor(simulator: OwnProcess, clock: FollowingClock) {
    this.simulator = simulator;
    this.clock = clock;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#taps.values()].map((tap) => tap.close()));
    await this.simulator.stop();
  }

  async setClock(clock: { readonly now?: number; readonly speed?: number; readonly market?: string }) {
    const { now: nowMs, speed = this.#speed } = clock;
    // Before the exchange does: what is lost by the jump must not look as if it had been lost before.
    if (nowMs !== undefined) this.clock.set({ nowMs, speed, wallMs: this.clock.wallMs() });
    await postJson(`${this.simulator.url}/_sim/clock`, clock);
    await this.readClock();
  }

  async readClock(): Promise<void> {
    const response = await fetch(`${this.simulator.url}/_sim/clock`);
    const { nowMs, speed } = (await response.json()) as { nowMs: number; speed: number };
    this.clock.set({ nowMs, speed, wallMs: this.clock.wallMs() });
    this.#speed = speed;
  }

  /** @param fault of the broker's user `account` alone. @returns its id */
  async arm(fault: { readonly kind: string; readonly account: string }): Promise<number> {
    return (await postJson<{ id: number }>(`${this.simulator.url}/_sim/faults`, fault)).id;
  }

  /** How often an armed fault has fired. */
  async firedTimes(faultId: number): Promise<number> {
    const response = await fetch(`${this.simulator.url}/_sim/faults`);
    const faults = (await response.json()) as { id: number; fired: number }[];
    return faults.find(({ id }) => id === faultId)?.fired ?? 0;
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.simulator.url}/_sim/faults`, { method: 'DELETE' });
  }

  /**
   * NIFTY's index, futures and options nearest to the money, then all other derivatives; none that ends today.
   */
  async liveFirst(): Promise<Instrument[]> {
    const all = lasting(await simulatorInstruments(this.simulator.url), this.clock.nowMs());
    const middle = 25_000;
    const rank = ({ name, instrument_type, segment, strike }: Instrument) => {
      if (name !== 'NIFTY' && segment !== 'INDICES') return Number.MAX_SAFE_INTEGER;
      return instrument_type === 'CE' || instrument_type === 'PE' ? Math.abs(strike - middle) : 0;
    };
    const wanted = all.filter(
      ({ tradingsymbol, segment }) =>
        tradingsymbol === 'NIFTY 50' || segment.endsWith('-OPT') || segment.endsWith('-FUT'),
    );
    return wanted.sort((a, b) => rank(a) - rank(b));
  }

  /** What it sends of these is taken down from now on. */
  async tap(tokens: readonly number[]): Promise<void> {
    this.#opened += 1;
    const user = `TAP${this.#opened}`;
    this.#taps.set(user, await ExchangeTap.open(this.simulator.url, tokens, user));
  }

  /** New links for all taps, where a session's end closed theirs; returns when the exchange sends to them. */
  async loginTaps(): Promise<void> {
    const lastS = this.newestSentS();
    await Promise.all([...this.#taps.values()].map((tap) => tap.login()));
    await until(() => this.newestSentS() > lastS, SEND_MS, 'the exchange to send again');
  }

  /** Nothing of these is waited for any more. */
  async untap(tokens: ReadonlySet<number>): Promise<void> {
    for (const [user, tap] of this.#taps) {
      if (![...tap.sent.keys()].every((token) => tokens.has(token))) continue;
      this.#taps.delete(user);
      await tap.close();
    }
  }

  /** Everything that it sent, by instrument. */
  sent(): Sent {
    return new Map([...this.#taps.values()].flatMap((tap) => [...tap.sent]));
  }

  /** Instruments of which it sent anything. */
  get quoted(): number {
    return [...this.#taps.values()].reduce((sum, tap) => sum + tap.sent.size, 0);
  }

  /** The newest exchange second of all ticks sent. */
  newestSentS(): number {
    let newest = 0;
    for (const tap of this.#taps.values())
      for (const keys of tap.sent.values()) newest = Math.max(newest, timeOf(keys.at(-1) ?? 0));
    return newest;
  }

  /** Instruments whose newest tick up to that second is not among those read. */
  *stale(read: Sent, toS: number): Generator<number> {
    for (const tap of this.#taps.values()) {
      for (const [token, sent] of tap.sent) {
        const wanted = sent.findLast((key) => timeOf(key) <= toS);
        const own = read.get(token) ?? [];
        if (wanted !== undefined && own.lastIndexOf(wanted) === -1) yield token;
      }
    }
  }

  restartPauses(): void {
    for (const tap of this.#taps.values()) tap.pauses.restart();
  }

  /** ms, as of `nowMs`; 0 for an instrument that it never sent. */
  longestPauseOf(token: number, nowMs: number): number {
    const pauses = [...this.#taps.values()].flatMap((tap) => tap.pauses.longestOf(token, nowMs) ?? []);
    return pauses[0] ?? 0;
  }
}
