export interface LatchSettings {
  /** Trouble of so long is told. */
  readonly onAfterMs: number;
  /** It must be over for so long without a break before that is told. */
  readonly offAfterMs: number;
}

/**
 * Holds on to trouble without flapping. The time away is a vessel that fills while there is trouble and runs out at the
 * same pace while there is none: short returns do not hide an outage, and short breaks with long flow between them
 * never add up to one.
 */
export class Latch {
  readonly #settings: LatchSettings;
  #awayMs = 0;
  #backMs = 0;
  #sinceMs: number | undefined;
  #isOn = false;

  /** @param sinceMs market time at which trouble began that was told before */
  constructor(settings: LatchSettings, sinceMs: number | undefined) {
    this.#settings = settings;
    this.#sinceMs = sinceMs;
    this.#isOn = sinceMs !== undefined;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Market time at which the trouble that holds it began; undefined without any. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  observe(isTrouble: boolean, stepMs: number, nowMs: number): void {
    if (isTrouble) this.#away(stepMs, nowMs);
    else this.#back(stepMs);
  }

  #away(stepMs: number, nowMs: number): void {
    const { onAfterMs } = this.#settings;
    this.#backMs = 0;
    if (this.#sinceMs === undefined) this.#sinceMs = nowMs;
    else this.#awayMs = Math.min(this.#awayMs + stepMs, onAfterMs);
    if (this.#awayMs >= onAfterMs) this.#isOn = true;
  }

  #back(stepMs: number): void {
    this.#awayMs = Math.max(this.#awayMs - stepMs, 0);
    this.#backMs += stepMs;
    if (this.#isOn && this.#backMs < this.#settings.offAfterMs) return;
    if (this.#isOn) this.#awayMs = 0;
    this.#isOn = false;
    if (this.#awayMs === 0) this.#sinceMs = undefined;
  }
}
