const DIGIT_PAIRS = Uint8Array.from({ length: 200 }, (_, index) => {
  const pair = index >> 1;
  return 48 + ((index & 1) === 0 ? Math.floor(pair / 10) : pair % 10);
});
const ZERO = 48;
const POINT = 46;
const MINUS = 45;
const MILLION = 1_000_000;
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12] as const;
/** Longest part copied byte by byte: below it a native copy costs more than it saves. */
const SHORT_COPY = 24;

/** ASCII text as bytes. */
export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/**
 * Writes JSON's bytes into one growing buffer, numbers in the digits that `JSON.stringify` gives them. Nothing is
 * checked per byte: whoever writes a record calls `reserve` for its longest form first.
 */
export class JsonWriter {
  bytes: Uint8Array;
  position: number;

  constructor(capacity: number, start = 0) {
    this.bytes = new Uint8Array(capacity);
    this.position = start;
  }

  reserve(length: number): void {
    const needed = this.position + length;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
  }

  raw(part: Uint8Array): void {
    const { bytes, position } = this;
    const length = part.length;
    if (length > SHORT_COPY) bytes.set(part, position);
    else for (let index = 0; index < length; index += 1) bytes[position + index] = part[index]!;
    this.position = position + length;
  }

  /** An integer from 0 to 2^53. */
  uint(value: number): void {
    if (value < 2_147_483_648) this.position = writeSmall(this.bytes, this.position, value | 0);
    else {
      const high = Math.floor(value / MILLION);
      this.uint(high);
      this.position = writePadded(this.bytes, this.position, value - high * MILLION, 6);
    }
  }

  /** `value` units of 10^-decimals, an integer from 0 to 2^53, without needless zeros. */
  scaled(value: number, decimals: number): void {
    const power = POWERS[decimals]!;
    if (value < 2_147_483_648 && decimals <= 9) {
      const whole = ((value | 0) / power) | 0;
      this.position = writeSmall(this.bytes, this.position, whole);
      this.#fraction((value | 0) - whole * power, decimals);
    } else {
      const whole = Math.floor(value / power);
      this.uint(whole);
      this.#fraction(value - whole * power, decimals);
    }
  }

  /** A finite number rounded to so many decimals, half away from zero; its magnitude below 2^53 / 10^decimals. */
  rounded(value: number, decimals: number): void {
    const units = Math.floor(Math.abs(value) * POWERS[decimals]! + 0.5);
    if (value < 0 && units > 0) {
      this.bytes[this.position] = MINUS;
      this.position += 1;
    }
    this.scaled(units, decimals);
  }

  #fraction(units: number, decimals: number): void {
    if (units === 0) return;
    const { bytes } = this;
    bytes[this.position] = POINT;
    let end = writePadded(bytes, this.position + 1, units, decimals);
    while (bytes[end - 1] === ZERO) end -= 1;
    this.position = end;
  }
}

/** A non-negative integer below 2^31. */
function writeSmall(bytes: Uint8Array, position: number, value: number): number {
  if (value < 10) {
    bytes[position] = ZERO + value;
    return position + 1;
  }
  const end = position + digitsOf(value);
  writeBackwards(bytes, end, value);
  return end;
}

/** Exactly `digits` digits, zeros in front; `value` below 2^53. */
function writePadded(bytes: Uint8Array, position: number, value: number, digits: number): number {
  const end = position + digits;
  if (value < 2_147_483_648) {
    let at = writeBackwards(bytes, end, value | 0);
    while (at > position) {
      at -= 1;
      bytes[at] = ZERO;
    }
    return end;
  }
  const high = Math.floor(value / MILLION);
  const middle = writePadded(bytes, position, high, digits - 6);
  return writePadded(bytes, middle, value - high * MILLION, 6);
}

/** Digits of `value` ending before `end`, two at a time; returns where the first one stands. */
function writeBackwards(bytes: Uint8Array, end: number, value: number): number {
  let at = end;
  let rest = value;
  while (rest >= 100) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) << 1;
    rest = next;
    at -= 2;
    bytes[at] = DIGIT_PAIRS[pair]!;
    bytes[at + 1] = DIGIT_PAIRS[pair + 1]!;
  }
  if (rest >= 10) {
    at -= 2;
    bytes[at] = DIGIT_PAIRS[rest << 1]!;
    bytes[at + 1] = DIGIT_PAIRS[(rest << 1) + 1]!;
    return at;
  }
  at -= 1;
  bytes[at] = ZERO + rest;
  return at;
}

function digitsOf(value: number): number {
  if (value < 100) return 2;
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}
