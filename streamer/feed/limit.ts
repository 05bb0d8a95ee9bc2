export interface LimitSettings {
  /** The broker's limit for one api_key. */
  readonly maxConnections: number;
  /** Kept free for a replacement or another streamer's takeover. */
  readonly reserveConnections: number;
  /** After a refusal for too many connections one more is believed in again after this, doubled at each refusal. */
  readonly limitRetryMs: number;
  readonly limitRetryMaxMs: number;
}

/**
 * How many connections the broker is believed to allow. Others may hold some of the api_key's, and dead ones count
 * for a while, so a refusal lowers it and time raises it, one by one.
 */
export class ConnectionLimit {
  readonly #settings: LimitSettings;
  #believed: number;
  #waitMs = 0;
  #changedMs = 0;
  /** So many were open when one more was refused. */
  #refusedAt = 0;

  constructor(settings: LimitSettings) {
    this.#settings = settings;
    this.#believed = settings.maxConnections;
  }

  get believed(): number {
    return this.#believed;
  }

  get isLowered(): boolean {
    return this.#believed < this.#settings.maxConnections;
  }

  /** Connections that may carry instruments for long. */
  get usable(): number {
    const { maxConnections, reserveConnections } = this.#settings;
    return Math.max(1, Math.min(maxConnections - reserveConnections, this.#believed));
  }

  /** The broker refused one more than these. */
  lower(openConnections: number, nowMs: number): void {
    this.#refusedAt = openConnections;
    this.#believed = Math.max(1, Math.min(this.#believed, openConnections));
    this.#waitMs = this.waitAfter(this.#waitMs);
    this.#changedMs = nowMs;
  }

  /** @returns whether one more is believed in now */
  raise(nowMs: number): boolean {
    if (!this.isLowered || nowMs - this.#changedMs < this.#waitMs) return false;
    this.#believed += 1;
    this.#changedMs = nowMs;
    return true;
  }

  /** How long what was refused is not asked for again. @param waitedMs the time before, 0: none */
  waitAfter(waitedMs: number): number {
    const { limitRetryMs, limitRetryMaxMs } = this.#settings;
    return Math.min(limitRetryMaxMs, waitedMs === 0 ? limitRetryMs : waitedMs * 2);
  }

  /** So many are open at once: if it is more than were allowed before, the broker has let go. */
  confirm(openConnections: number): void {
    if (openConnections > this.#refusedAt) this.#waitMs = 0;
  }
}
