/** Left-aligned digits of 0 to 9999 as the four bytes of a big-endian word, blanks behind, and how many they are. */
const DIGITS = Uint32Array.from({ length: 10_000 }, (_, value) => wordOf(String(value).padEnd(4)));
const DIGIT_COUNT = Uint8Array.from({ length: 10_000 }, (_, value) => String(value).length);
/** The same with zeros in front. */
const PADDED = Uint32Array.from({ length: 10_000 }, (_, value) => wordOf(String(value).padStart(4, '0')));
/** Decimal point and hundredths without trailing zeros: nothing, `.5` or `.05`. */
const HUNDREDTHS = Uint32Array.from({ length: 100 }, (_, value) => wordOf(hundredths(value).padEnd(4)));
const HUNDREDTHS_COUNT = Uint8Array.from({ length: 100 }, (_, value) => hundredths(value).length);

const ZERO = 48;
const POINT = 46;
const MINUS = 45;
const GROUP = 10_000;
const GROUP_DIGITS = 4;
const MAX_SMALL = 100_000_000;
const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
/** What is copied in one store. */
const WORD_BYTES = 8;
/** Bytes that a store may reach behind the position it leaves. */
const OVERREACH = WORD_BYTES;

function wordOf(text: string): number {
  return Buffer.from(text, 'latin1').readUInt32BE();
}

function hundredths(value: number): string {
  return String(value / 100).slice(1);
}

/** Constant text, prepared for copying eight bytes at a time. */
export interface Part {
  readonly length: number;
  readonly words: readonly number[];
}

/** @throws RangeError for text that is not ASCII: only that never looks like a NaN, whose bits a store may change */
export function part(text: string): Part {
  const bytes = Buffer.alloc(Math.ceil(text.length / WORD_BYTES) * WORD_BYTES, ' ');
  bytes.write(text, 'latin1');
  if (bytes.some((byte) => byte > 0x7e)) throw new RangeError(`not ASCII: ${text}`);
  const words = Array.from({ length: bytes.length / WORD_BYTES }, (_, index) =>
    bytes.readDoubleBE(index * WORD_BYTES),
  );
  return { length: text.length, words };
}

/**
 * Writes JSON's bytes into one growing buffer, numbers in the shortest decimal form. Nothing is checked per byte:
 * whoever writes a record calls `reserve` for its longest form first. Stores are as wide as they can be and may reach
 * behind the position; what follows overwrites it.
 */
export class JsonWriter {
  bytes: Uint8Array;
  position = 0;
  #view: DataView;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  reserve(length: number): void {
    const needed = this.position + length + OVERREACH;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  copy(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  byte(value: number): void {
    this.bytes[this.position] = value;
    this.position += 1;
  }

  part({ length, words }: Part): void {
    const { position } = this;
    for (let index = 0; index < words.length; index += 1) {
      this.#view.setFloat64(position + index * WORD_BYTES, words[index]!);
    }
    this.position = position + length;
  }

  /** An integer from 0 to 2^53. */
  uint(value: number): void {
    if (value < GROUP) {
      this.#view.setUint32(this.position, DIGITS[value]!);
      this.position += DIGIT_COUNT[value]!;
      return;
    }
    const high = value < MAX_SMALL ? (value / GROUP) | 0 : Math.floor(value / GROUP);
    this.uint(high);
    this.#view.setUint32(this.position, PADDED[value - high * GROUP]!);
    this.position += GROUP_DIGITS;
  }

  /** `value` units of 10^-decimals, an integer from 0 to 2^53, without needless zeros. */
  scaled(value: number, decimals: number): void {
    if (decimals !== 2) {
      this.#scaledBy(value, decimals);
      return;
    }
    const whole = value < 2_147_483_648 ? (value / 100) | 0 : Math.floor(value / 100);
    this.uint(whole);
    const rest = value - whole * 100;
    this.#view.setUint32(this.position, HUNDREDTHS[rest]!);
    this.position += HUNDREDTHS_COUNT[rest]!;
  }

  /** A finite number rounded to so many decimals, half away from zero; its magnitude below 2^53 / 10^decimals. */
  rounded(value: number, decimals: number): void {
    const units = Math.floor(Math.abs(value) * POWERS[decimals]! + 0.5);
    if (value < 0 && units > 0) this.byte(MINUS);
    this.#scaledBy(units, decimals);
  }

  #scaledBy(value: number, decimals: number): void {
    const power = POWERS[decimals]!;
    const whole = Math.floor(value / power);
    this.uint(whole);
    const rest = value - whole * power;
    if (rest === 0) return;
    this.byte(POINT);
    const groups = Math.ceil(decimals / GROUP_DIGITS);
    let left = rest * POWERS[groups * GROUP_DIGITS - decimals]!;
    for (let group = groups - 1; group >= 0; group -= 1) {
      const above = Math.floor(left / GROUP);
      this.#view.setUint32(this.position + group * GROUP_DIGITS, PADDED[left - above * GROUP]!);
      left = above;
    }
    let end = this.position + groups * GROUP_DIGITS;
    while (this.bytes[end - 1] === ZERO) end -= 1;
    this.position = end;
  }
}
