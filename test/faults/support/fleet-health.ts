import { type FleetHealth, type FleetStreamer, sumOf } from './fleet-streamer.ts';
import { quietSinceMs } from './health-watch.ts';

const LOOK_MS = 150;

/** Ticks of an account that its streamer counted as rejected or discarded between two looks; market times, epoch ms. */
export interface DroppedTicks {
  readonly account_id: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly ticks: number;
}

/** Looks at every streamer's health often, and remembers for which exchange seconds it said that ticks did not flow. */
export class FleetHealthWatch {
  /** Exchange seconds by account. */
  readonly quiet = new Map<string, Set<number>>();
  readonly dropped: DroppedTicks[] = [];
  readonly #streamers: () => readonly FleetStreamer[];
  readonly #nowMs: () => number;
  readonly #counters = new Map<string, number>();
  /** What each process said last, by its id. */
  readonly #answers = new Map<number, { readonly nowMs: number; readonly held: readonly string[] }>();
  readonly #lookedMs = new Map<string, number>();
  /** Processes' accounts that were quiet at the last look. */
  readonly #wereQuiet = new Set<string>();
  #running: Promise<void>;
  #stopped = false;

  /** `nowMs`: market time. */
  constructor(streamers: () => readonly FleetStreamer[], nowMs: () => number) {
    this.#streamers = streamers;
    this.#nowMs = nowMs;
    this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  isQuiet(accountId: string, second: number): boolean {
    return this.quiet.get(accountId)?.has(second) ?? false;
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      await Promise.all(this.#streamers().map((streamer) => this.#look(streamer)));
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  async #look(streamer: FleetStreamer): Promise<void> {
    const { pid } = streamer;
    const health = await streamer.health();
    const samples = await streamer.metrics();
    const nowMs = this.#nowMs();
    // It may have ended, or another may have begun, in between.
    if (!streamer.isRunning || streamer.pid !== pid) return;
    if (health === undefined || samples.length === 0) {
      this.#unanswered(pid, nowMs);
      return;
    }
    const held = health.accounts.filter(({ lease }) => lease !== null);
    this.#answers.set(pid, { nowMs, held: held.map(({ account_id }) => account_id) });
    for (const account of health.accounts) {
      const { account_id } = account;
      const lookedMs = this.#lookedMs.get(streamer.id) ?? nowMs;
      this.#note(account, `${pid}:${account_id}`, lookedMs, nowMs);
      const since = (name: string) =>
        this.#sinceLast(`${pid}:${account_id}:${name}`, sumOf(samples, name, { account_id }));
      // A link may be lost and back between two looks: then only the counter tells.
      if (since('websocket_reconnects_total') > 0) this.#add(account_id, lookedMs - 1_000, nowMs);
      const ticks = since('ticks_rejected_total') + since('ticks_discarded_total');
      if (ticks > 0) this.dropped.push({ account_id, fromMs: Math.min(lookedMs, nowMs), toMs: nowMs, ticks });
    }
    this.#lookedMs.set(streamer.id, nowMs);
  }

  #sinceLast(key: string, value: number): number {
    const before = this.#counters.get(key) ?? 0;
    this.#counters.set(key, value);
    return value - before;
  }

  /** Whoever watches it knows only that it said nothing of the accounts that it held. */
  #unanswered(pid: number, nowMs: number): void {
    const last = this.#answers.get(pid);
    for (const accountId of last?.held ?? []) this.#add(accountId, last!.nowMs - 1_000, nowMs);
  }

  #note(account: FleetHealth['accounts'][number], key: string, lookedMs: number, nowMs: number): void {
    // What was quiet at the last look was so until some moment before this one.
    if (this.#wereQuiet.delete(key)) this.#add(account.account_id, lookedMs, nowMs);
    const sinceMs = quietSinceMs(account, nowMs);
    if (sinceMs === undefined) return;
    this.#wereQuiet.add(key);
    this.#add(account.account_id, sinceMs, nowMs);
  }

  #add(accountId: string, fromMs: number, toMs: number): void {
    let seconds = this.quiet.get(accountId);
    if (seconds === undefined) {
      seconds = new Set();
      this.quiet.set(accountId, seconds);
    }
    for (let second = Math.floor(fromMs / 1_000); second <= toMs / 1_000; second += 1) seconds.add(second);
  }
}
